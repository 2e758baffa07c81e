"""What happens to an event on its way to Sentry, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sentry_sdk

from claudescope._internal import internal_errors
from claudescope.sentry import payload, scrubbing
from claudescope.sentry.enrich import Failure, enrich
from claudescope.sentry.exception_registry import FAILURES
from claudescope.sentry.exception_search import Found, find, reported_error
from claudescope.sentry.flood import FloodControl
from claudescope.sentry.options import Options

__all__ = ["BACKGROUND_HINT", "COMPONENT", "FAILURE_HINT", "Event", "Processor"]

Event = dict[str, Any]

COMPONENT: Final = "sentry"
"""The value of `claudescope.component` for faults of this package."""

FAILURE_HINT: Final = "claudescope.failure"
"""Key of an event's hint: the `Failure` that it is about, where no exception tells."""

BACKGROUND_HINT: Final = "claudescope.background"
"""Key of an event's hint: it reports a failure of background work."""

_AT_THE_CALL: Final = frozenset({"anthropic", "langchain", "langgraph", "litellm", "openai_agents", "pydantic_ai"})
"""Mechanisms of Sentry's integrations that report inside of the call, as unhandled, before the app can handle it."""


class Processor:
    """Judges events one by one. Thread-safe. Never raises.

    Args:
        options: What was chosen.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self._flood = FloodControl(options.burst, options.per_minute)

    def __call__(self, event: Event, hint: Mapping[str, Any] | None) -> Event | None:
        """Make `event` show the failed call that it is about.

        Args:
            event: What Sentry is about to send; changed in place.
            hint: What it was made from.

        Returns:
            The event; None where it is not to be sent.
        """
        try:
            return self._process(event, hint or {})
        except Exception:  # noqa: BLE001 - the error is still worth an event, of which nothing private is left
            internal_errors.record(COMPONENT)
            scrubbing.scrub_bare(event)
            return event

    def _process(self, event: Event, hint: Mapping[str, Any]) -> Event | None:
        kind = event.get("type")
        if kind == "transaction" and not sentry_sdk.get_client().should_send_default_pii():
            scrubbing.scrub_spans(event)
        if kind not in {None, "error", "default"}:
            return event
        scrubbing.scrub_any(event)
        failure: Failure | None = hint.get(FAILURE_HINT)
        if failure is not None:
            return self._send(event, failure, Found((), alone=True))
        found = find(event, hint)
        if found is None:
            return None if _repeats_task(event, hint) else event
        if found.alone and (_mechanisms(event) & _AT_THE_CALL or _repeats(event, found.errors)):
            return None
        return self._send(event, Failure.of(found.errors[0]), found)

    def _send(self, event: Event, failure: Failure, found: Found) -> Event | None:
        held_back = self._flood.admit(failure.error_type.name) if found.alone else 0
        if held_back is None:
            _tell_session(errors=1, crashed=_unhandled(event))
            return None
        options = self.options
        scrubbing.scrub_failure(
            event,
            [(error, Failure.of(error).summary) for error in found.errors],
            keep_messages=options.include_messages,
            keep_local_variables=options.include_local_variables,
        )
        enrich(event, failure, options, alone=found.alone, held_back=held_back)
        return event


def _repeats(event: Event, errors: Sequence[BaseException]) -> bool:
    """Whether Sentry has had these failures. What is left to tell is that they crashed the session after all."""
    if FAILURES.report(errors):
        return False
    if _unhandled(event):
        _tell_session(errors=0, crashed=True)
    return True


def _repeats_task(event: Event, hint: Mapping[str, Any]) -> bool:
    """Whether an event that is about no failed call is one that `task` has sent before."""
    error = reported_error(hint)
    if error is None or not (BACKGROUND_HINT in hint or FAILURES.reported(error)):
        return False
    return _repeats(event, (error,))


def _mechanisms(event: Event) -> set[object]:
    return {mechanism.get("type") for mechanism in payload.mechanisms(event)}


def _unhandled(event: Event) -> bool:
    return any(mechanism.get("handled") is False for mechanism in payload.mechanisms(event))


def _tell_session(*, errors: int, crashed: bool) -> None:
    """Tell the session what Sentry itself would have, had the event been sent."""
    session: Any = getattr(sentry_sdk.get_isolation_scope(), "_session", None)
    if session is not None:
        session.update(status="crashed" if crashed else None, errors=session.errors + errors)
