"""Makes an event from an exception, with versions 2 and 3 of Sentry's SDK."""

from __future__ import annotations

import inspect
from typing import Any, Final, cast

import sentry_sdk
from sentry_sdk.utils import event_from_exception

from claudescope.sentry.payload import Object

__all__ = ["capture_exception"]

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
    options: dict[str, Any] = {"client_options": sentry_sdk.get_client().options} if _TAKES_OPTIONS else {}
    base_event, base_hint = event_from_exception(error, **options, mechanism={"type": mechanism, "handled": handled})
    sentry_sdk.capture_event(cast("Any", {**base_event, **event}), hint={**base_hint, **hint})
