"""Makes an event from an exception, with versions 2 and 3 of Sentry's SDK."""

from __future__ import annotations

import inspect
from typing import Any, Final, cast

import sentry_sdk
from sentry_sdk.utils import current_stacktrace, event_from_exception

from claudescope.sentry.payload import Object

__all__ = ["add_threads", "capture_exception", "exception_of"]

# Since 3.0 the function reads the client's options itself.
_TAKES_OPTIONS: Final = "client_options" in inspect.signature(event_from_exception).parameters


def capture_exception(error: BaseException, mechanism: str, *, handled: bool, event: Object, hint: Object) -> None:
    """Send an exception to Sentry, with its mechanism.

    Args:
        error: The exception.
        mechanism: The name of what captured it.
        handled: Whether the app handled it.
        event: Further keys of the event.
        hint: Further keys of the hint for processors.
    """
    base_event, base_hint = _event(error, mechanism, handled=handled)
    sentry_sdk.capture_event(cast("Any", {**base_event, **event}), hint={**base_hint, **hint})


def exception_of(error: BaseException) -> Object:
    """Return the part of an event that has an exception with its stack trace, for a log record without it."""
    event, _hint = _event(error, "logging", handled=True)
    return {"exception": event["exception"]}


def add_threads(event: Object) -> None:
    """Add the stack trace of `attach_stacktrace` to an event.

    Sentry's SDK adds it after all event processors, with local variables that none of them can remove.
    """
    options = sentry_sdk.get_client().options
    if not options.get("attach_stacktrace") or any(key in event for key in ("exception", "stacktrace", "threads")):
        return
    stacktrace: Any = current_stacktrace()
    frames: list[Any] = stacktrace.get("frames") or []
    while frames and str(frames[-1].get("module")).startswith("claudescope.sentry"):
        frames.pop()
    if not options.get("include_local_variables", True):
        for frame in frames:
            frame.pop("vars", None)
    event["threads"] = {"values": [{"stacktrace": stacktrace, "crashed": False, "current": True}]}


def _event(error: BaseException, mechanism: str, *, handled: bool) -> tuple[Object, Object]:
    options: dict[str, Any] = {"client_options": sentry_sdk.get_client().options} if _TAKES_OPTIONS else {}
    event, hint = event_from_exception(error, **options, mechanism={"type": mechanism, "handled": handled})
    return cast("Any", event), hint
