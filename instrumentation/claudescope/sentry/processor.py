"""Processes an event on its way to Sentry, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sentry_sdk

from claudescope._internal import internal_errors
from claudescope.sentry import payload, scrubbing
from claudescope.sentry.enrich import Failure, enrich
from claudescope.sentry.exception_registry import EXCEPTIONS
from claudescope.sentry.exception_search import FoundFailures, find_failures, reported_error
from claudescope.sentry.options import Options
from claudescope.sentry.rate_limiter import RateLimiter

__all__ = ["BACKGROUND_HINT", "COMPONENT", "FAILURE_HINT", "Event", "Processor"]

Event = dict[str, Any]

COMPONENT: Final = "sentry"
"""The value of `claudescope.component` for internal errors of this package."""

FAILURE_HINT: Final = "claudescope.failure"
"""Key of an event's hint: the `Failure` of an event that was not made from an exception."""

BACKGROUND_HINT: Final = "claudescope.background"
"""Key of an event's hint: `task` reports a failure of background work."""

_AUTO_MECHANISMS: Final = frozenset({"anthropic", "langchain", "langgraph", "litellm", "openai_agents", "pydantic_ai"})
"""Mechanisms of Sentry's integrations that report every failed call as unhandled, before the app can handle it."""


class Processor:
    """Processes events one by one. Thread-safe. Never raises.

    Args:
        options: The options.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self._rate_limiter = RateLimiter(options.burst, options.per_minute)

    def __call__(self, event: Event, hint: Mapping[str, Any] | None) -> Event | None:
        """Scrub an event, and add the facts of the failed call that it is about.

        Args:
            event: The event that Sentry is about to send; changed in place.
            hint: The hint that Sentry gives with it.

        Returns:
            The event; None to drop it.
        """
        try:
            return self._process(event, hint or {})
        except Exception:  # noqa: BLE001 - the event is still sent, without its private parts
            internal_errors.record(COMPONENT)
            scrubbing.scrub_bare(event)
            return event

    def _process(self, event: Event, hint: Mapping[str, Any]) -> Event | None:
        event_type = event.get("type")
        if event_type == "transaction" and not sentry_sdk.get_client().should_send_default_pii():
            scrubbing.scrub_spans(event)
        if event_type not in {None, "error", "default"}:
            return event
        scrubbing.scrub_any(event)
        failure: Failure | None = hint.get(FAILURE_HINT)
        if failure is not None:
            return self._send(event, failure, FoundFailures((), alone=True))
        found = find_failures(event, hint)
        if found is None:
            return None if _repeats_task(event, hint) else event
        if found.alone and (_mechanisms(event) & _AUTO_MECHANISMS or _repeats(event, found.errors)):
            return None
        return self._send(event, Failure.of(found.errors[0]), found)

    def _send(self, event: Event, failure: Failure, found: FoundFailures) -> Event | None:
        events_dropped = self._rate_limiter.admit(failure.error_type.name) if found.alone else 0
        if events_dropped is None:
            _update_session(errors=1, crashed=_unhandled(event))
            return None
        options = self.options
        scrubbing.scrub_failure(
            event,
            [(error, Failure.of(error).summary) for error in found.errors],
            keep_messages=options.include_messages,
            keep_local_variables=options.include_local_variables,
        )
        enrich(event, failure, options, alone=found.alone, events_dropped=events_dropped)
        return event


def _repeats(event: Event, errors: Sequence[BaseException]) -> bool:
    """Whether these failures were reported before. An unhandled repetition still marks the session as crashed."""
    if EXCEPTIONS.mark_reported(errors):
        return False
    if _unhandled(event):
        _update_session(errors=0, crashed=True)
    return True


def _repeats_task(event: Event, hint: Mapping[str, Any]) -> bool:
    """Whether an event without a failed call repeats one that `task` has sent."""
    error = reported_error(hint)
    if error is None or not (BACKGROUND_HINT in hint or EXCEPTIONS.is_reported(error)):
        return False
    return _repeats(event, (error,))


def _mechanisms(event: Event) -> set[object]:
    return {mechanism.get("type") for mechanism in payload.mechanisms(event)}


def _unhandled(event: Event) -> bool:
    return any(mechanism.get("handled") is False for mechanism in payload.mechanisms(event))


def _update_session(*, errors: int, crashed: bool) -> None:
    """Update the session as Sentry does when it sends an event."""
    session: Any = getattr(sentry_sdk.get_isolation_scope(), "_session", None)
    if session is not None:
        session.update(status="crashed" if crashed else None, errors=session.errors + errors)
