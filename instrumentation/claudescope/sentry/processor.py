"""Processes an event on its way to Sentry, step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import sentry_sdk

from claudescope._internal import internal_errors
from claudescope.sentry import delivery, payload, scrubbing
from claudescope.sentry.capture import add_threads, exception_of
from claudescope.sentry.enrich import Failure, enrich
from claudescope.sentry.exception_registry import EXCEPTIONS, Entry
from claudescope.sentry.exception_search import (
    FoundFailures,
    carried_failures,
    find_failures,
    find_quoted,
    message_of,
    reported_error,
)
from claudescope.sentry.options import Options
from claudescope.sentry.payload import as_dict
from claudescope.sentry.rate_limiter import RateLimiter
from claudescope.sentry.urls import scrub_spans

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

    def clean_log(self, log: Event) -> Event | None:
        """Return a log of Sentry's logs product without private parts; None to drop it.

        Args:
            log: The log that Sentry is about to send; not changed.
        """
        if scrubbing.is_of_wire(as_dict(log.get("attributes")).get("logger.name")):
            return None
        carried = carried_failures({})
        self.remember_texts(carried)
        return scrubbing.scrub_log(log, keep_messages=self.options.include_messages, thorough=bool(carried))

    def _process(self, event: Event, hint: Mapping[str, Any]) -> Event | None:
        event_type = event.get("type")
        if event_type == "transaction" and not sentry_sdk.get_client().should_send_default_pii():
            scrub_spans(event)
        if event_type not in {None, "error", "default"}:
            return event
        delivery.settle()
        add_threads(event)
        scrubbing.scrub_any(event)
        failure: Failure | None = hint.get(FAILURE_HINT)
        found = FoundFailures(()) if failure is not None else find_failures(event, hint) or _find_quoted(event, hint)
        carried = carried_failures(hint) if found is None else [*found.errors, *found.others]
        texts = self.remember_texts(carried)
        if found is None:
            return self._send_other(event, hint, texts, carried=bool(carried))
        if found.errors:
            if found.alone and _mechanisms(event) & _AUTO_MECHANISMS:
                return None
            if EXCEPTIONS.are_reported(found.errors, found.others):
                _note_repetition(event)
                return None
        if found.gone is not None:
            if found.gone.reported:
                return None
            failure = Failure.of_entry(found.gone)
        delivery.forget_last_seen(reported_error(hint))
        return self._send(event, failure or Failure.of(found.errors[0]), found, texts)

    def _send_other(
        self, event: Event, hint: Mapping[str, Any], texts: scrubbing.Safe, *, carried: bool
    ) -> Event | None:
        """Process an event that is about no failed call. It may carry or quote one, or be of `task`."""
        error = reported_error(hint)
        if error is not None and EXCEPTIONS.are_reported((error,)):
            _note_repetition(event)
            return None
        is_private = self._scrub(event, texts, carried=carried)
        if BACKGROUND_HINT in hint and error is not None:
            delivery.expect(event.get("event_id"), partial(self._leave, EXCEPTIONS.marker((error,))), _nothing)
        elif is_private:
            delivery.expect(event.get("event_id"), partial(self._leave, _yes), _nothing)
        return event

    def _send(self, event: Event, failure: Failure, found: FoundFailures, texts: scrubbing.Safe) -> Event | None:
        error_type = failure.error_type.name
        others = " ".join(sorted({type(other).__qualname__ for other in found.others}))
        events_dropped = self._rate_limiter.admit(error_type, others)
        if events_dropped is None:
            EXCEPTIONS.marker(found.errors, found.others, found.gone)()
            _update_session(errors=1, crashed=_unhandled(event))
            return None
        delivery.expect(
            event.get("event_id"),
            partial(self._leave, EXCEPTIONS.marker(found.errors, found.others, found.gone)),
            partial(self._rate_limiter.take_back, error_type, others, events_dropped),
        )
        if found.logged is not None and "exception" not in event:
            event.update(exception_of(found.logged))
            event.pop("threads", None)
        self._scrub(event, texts, carried=True)
        enrich(event, failure, self.options, alone=found.alone, events_dropped=events_dropped)
        return event

    def _leave(self, mark: Callable[[], bool], event: Event) -> bool:
        """Scrub what was added after `__call__`, such as the request, when an event is sent. Returns whether it is."""
        if not mark():
            return False
        if not self.options.include_request:
            scrubbing.strip_request(event)
        if not self.options.include_messages:
            scrubbing.scrub_quotes(event, thorough=True)
        return True

    def remember_texts(self, roots: Sequence[BaseException]) -> scrubbing.Safe:
        """Return the replacements of the failed calls' texts, which are replaced wherever they are quoted from now on.

        Args:
            roots: Exceptions; failed calls in their chains are found.
        """
        if self.options.include_messages:
            return {}
        texts = scrubbing.safe_texts(roots, _summary)
        scrubbing.redact_later(texts, _entry)
        return texts

    def _scrub(self, event: Event, texts: scrubbing.Safe, *, carried: bool) -> bool:
        """Scrub an event. Returns whether it has a failed call, or quotes one."""
        if carried:
            self._scrub_carried(event, texts)
        if not self.options.include_messages and scrubbing.scrub_quotes(event, thorough=carried) and not carried:
            self._scrub_carried(event, texts)
            return True
        return carried

    def _scrub_carried(self, event: Event, texts: scrubbing.Safe) -> None:
        options = self.options
        scrubbing.scrub_carried(
            event,
            texts,
            keep_messages=options.include_messages,
            keep_local_variables=options.include_local_variables,
            keep_request=options.include_request,
        )


def _note_repetition(event: Event) -> None:
    """Mark the session as crashed where an unhandled event is dropped as a repetition."""
    if _unhandled(event):
        _update_session(errors=0, crashed=True)


def _find_quoted(event: Event, hint: Mapping[str, Any]) -> FoundFailures | None:
    """Find the failed call whose text a message quotes. An event with an exception is about that."""
    if "exception" in event or reported_error(hint) is not None:
        return None
    return find_quoted(scrubbing.QUOTES.sources(message_of(event, hint)))


def _entry(error: BaseException) -> Entry | None:
    return EXCEPTIONS.entry_of(error, Failure.of(error).error_type.name)


def _summary(error: BaseException) -> str:
    return Failure.of(error).summary


def _yes() -> bool:
    return True


def _nothing() -> None:
    """Other events than those of failed calls reserve nothing."""


def _mechanisms(event: Event) -> set[object]:
    return {mechanism.get("type") for mechanism in payload.mechanisms(event)}


def _unhandled(event: Event) -> bool:
    return any(mechanism.get("handled") is False for mechanism in payload.mechanisms(event))


def _update_session(*, errors: int, crashed: bool) -> None:
    """Update the session as Sentry does when it sends an event."""
    session: Any = getattr(sentry_sdk.get_isolation_scope(), "_session", None)
    if session is not None:
        session.update(status="crashed" if crashed else None, errors=session.errors + errors)
