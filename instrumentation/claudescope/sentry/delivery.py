"""Learns which events leave the process, and gives them a last look.

Sentry runs `before_send`, `error_sampler` and other processors after claudescope's. Any of them may drop an event, and
those of web frameworks add the request. No hook of Sentry's SDK runs after them. So the client's transport is watched:
what it gets is sent.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

import sentry_sdk
from sentry_sdk.integrations.dedupe import DedupeIntegration

from claudescope._internal import internal_errors
from claudescope.sentry.payload import Object

__all__ = ["expect", "forget_last_seen", "settle"]

COMPONENT: Final = "sentry"
_MAX_NESTED: Final = 4
"""Events of one thread that are expected at a time. There is more than one if `before_send` reports something."""


@dataclass(slots=True)
class _Expected:
    event_id: object
    on_sent: Callable[[Object], bool]
    on_dropped: Callable[[], None]
    is_settled: bool = False


class _Pending(threading.local):
    def __init__(self) -> None:
        self.events: list[_Expected] = []


_pending: Final = _Pending()


def settle() -> None:
    """Take what this thread's last event has reserved back where the event was not sent.

    Call it before the next event is processed: Sentry's SDK hands an event over in the thread that captures it.
    """
    for one in _pending.events:
        if not one.is_settled:
            one.is_settled = True
            one.on_dropped()


def forget_last_seen(error: BaseException | None) -> None:
    """Let Sentry's DedupeIntegration forget an exception: it also remembers those whose event was not sent.

    Args:
        error: The exception of an event that is to be sent.
    """
    integration = sentry_sdk.get_client().get_integration(DedupeIntegration)
    remembered: Any = getattr(integration, "_last_seen", None)
    if remembered is not None:
        last: object = remembered.get(None)
        if error is not None and (last() if isinstance(last, weakref.ref) else last) is error:
            remembered.set(None)
    elif getattr(error, "_handled_by_sentry", False):  # since 3.0
        with contextlib.suppress(AttributeError):
            delattr(error, "_handled_by_sentry")


def expect(event_id: object, on_sent: Callable[[Object], bool], on_dropped: Callable[[], None]) -> None:
    """Call back when an event is sent, and when it turns out that it was dropped.

    Args:
        event_id: The event's id.
        on_sent: Called with the event when the transport gets it, and changes it in place. Returns whether to send it.
        on_dropped: Called when this thread processes its next event, where the transport did not get this one.
    """
    if not _watch(sentry_sdk.get_client().transport):
        on_sent({})
        return
    events = _pending.events
    events.append(_Expected(event_id, on_sent, on_dropped))
    del events[:-_MAX_NESTED]


def _leaves(envelope: Any) -> bool:
    event_id = envelope.headers.get("event_id")
    events = _pending.events
    for one in list(events):
        if one.event_id == event_id:
            events.remove(one)
            return all([_finish(item, one) for item in envelope.items if item.get_event() is not None])  # noqa: C419 - each
    return True


def _finish(item: Any, expected: _Expected) -> bool:
    is_sent = expected.on_sent(item.get_event())
    item.payload.bytes = None  # Spotlight has serialised it before
    return is_sent


def _watch(transport: Any) -> bool:
    """Watch a transport. Returns False where that is not possible."""
    if transport is None:
        return False
    own = cast("dict[str, Any]", getattr(transport, "__dict__", {})).get("capture_envelope")
    if getattr(own, "is_watched_by_claudescope", False):
        return True
    cls = cast("Any", type(transport))
    try:
        # A strong reference to the transport would be a circle, which keeps its connections open for longer.
        reference = weakref.ref(transport)

        def capture_envelope(envelope: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                if not _leaves(envelope):
                    return None
            except Exception:  # noqa: BLE001 - the app's envelope is sent
                internal_errors.record(COMPONENT)
            if own is not None:
                return own(envelope, *args, **kwargs)
            return cls.capture_envelope(reference(), envelope, *args, **kwargs)

        capture_envelope.is_watched_by_claudescope = True  # type: ignore[attr-defined]
        transport.capture_envelope = capture_envelope
    except (AttributeError, TypeError):  # a transport with slots
        return False
    return True
