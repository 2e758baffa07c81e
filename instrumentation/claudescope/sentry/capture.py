"""Makes an event of an exception, with the two generations of Sentry's SDK."""

from __future__ import annotations

import inspect
from typing import Any, Final, cast

import sentry_sdk
from sentry_sdk.utils import event_from_exception

from claudescope.sentry.payload import Object

__all__ = ["capture_exception"]

# Since 3.0 it takes the client's options by itself.
_TAKES_OPTIONS: Final = "client_options" in inspect.signature(event_from_exception).parameters


def capture_exception(error: BaseException, mechanism: str, *, handled: bool, event: Object, hint: Object) -> None:
    """Send an exception to Sentry, saying how it came there.

    Args:
        error: The exception.
        mechanism: What captured it.
        handled: Whether the app went on in spite of it.
        event: What else the event has.
        hint: What else processors should know.
    """
    options: dict[str, Any] = {"client_options": sentry_sdk.get_client().options} if _TAKES_OPTIONS else {}
    made, about = event_from_exception(error, **options, mechanism={"type": mechanism, "handled": handled})
    sentry_sdk.capture_event(cast("Any", {**made, **event}), hint={**about, **hint})
