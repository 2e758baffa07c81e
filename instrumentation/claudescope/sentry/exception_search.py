"""Finds the failed calls in an event: bare, wrapped, in an exception group, or named by a log record."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from claudescope._internal.exception_chain import MAX_EXCEPTIONS, members_of, walk
from claudescope.schema.classify import classify
from claudescope.sentry.error_texts import texts_of
from claudescope.sentry.exception_registry import EXCEPTIONS, Entry
from claudescope.sentry.payload import as_dict
from claudescope.sentry.quotes import SHORTEST_QUOTE, normalise
from claudescope.sentry.wrapping import wraps_in_handler

__all__ = [
    "FoundFailures",
    "carried_failures",
    "chain",
    "find_failures",
    "find_quoted",
    "is_failed_call",
    "message_of",
    "reported_error",
]

_LONGEST_MESSAGE: Final = 10_000
"""Characters of a message that are searched for a failed call's text."""


@dataclass(frozen=True, slots=True)
class FoundFailures:
    """The failed calls in an event.

    Attributes:
        errors: Their exceptions. The first one decides the event's error type.
        others: Members of an exception group that are no failed calls.
        logged: The exception that a message without a traceback is about; None for other events.
        gone: What is known of a failed call whose exception is freed, but whose text a message quotes; None for others.
    """

    errors: tuple[BaseException, ...]
    others: tuple[BaseException, ...] = ()
    logged: BaseException | None = None
    gone: Entry | None = None

    @property
    def alone(self) -> bool:
        """Whether the event is about nothing else. False for an exception group with other members."""
        return not self.others


def find_failures(event: Mapping[str, Any], hint: Mapping[str, Any]) -> FoundFailures | None:
    """Find the failed calls that an event is about; None without any.

    Args:
        event: The event as Sentry made it.
        hint: The hint that Sentry gives with it.
    """
    error = reported_error(hint)
    return _in_message(event, hint) if error is None else _search(error)


def find_quoted(entries: Sequence[object]) -> FoundFailures | None:
    """Find the failed call that a message quotes when its exception is no longer handled; None without any.

    Args:
        entries: What is known of the failed calls with the quoted text, oldest first. The last one that was not yet
            reported is taken. As long as the app keeps some of the exceptions, it is one of these.
    """
    known = [entry for entry in entries if isinstance(entry, Entry)]
    known = [entry for entry in known if entry.error() is not None] or known
    if not known:
        return None
    entry = next((one for one in reversed(known) if not one.reported), known[-1])
    error = entry.error()
    return FoundFailures((), gone=entry) if error is None else FoundFailures((error,), logged=error)


def carried_failures(hint: Mapping[str, Any]) -> list[BaseException]:
    """The failed calls in an event that it need not be about.

    They are in the chain of its exception, suppressed contexts included, in the arguments of its log record, or are
    being handled while it is captured.
    """
    roots = [reported_error(hint), *_logged_exceptions(hint), sys.exc_info()[1]]
    found: dict[int, BaseException] = {}
    for root in roots:
        for error in () if root is None else chain(root):
            if is_failed_call(error):
                found[id(error)] = error
    return list(found.values())


def reported_error(hint: Mapping[str, Any]) -> BaseException | None:
    """The exception that an event was made from; None without one."""
    exc_info: object = hint.get("exc_info")
    if not isinstance(exc_info, tuple):
        return None
    error = cast("tuple[object, ...]", exc_info)[1]
    return error if isinstance(error, BaseException) else None


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its causes and contexts, and the members of groups."""
    return walk(error, _cause_and_context)


def _cause_and_context(error: BaseException) -> tuple[BaseException, ...]:
    return tuple(origin for origin in (error.__cause__, error.__context__) if origin is not None)


def is_failed_call(error: BaseException) -> bool:
    """Whether an exception is a failed call itself."""
    if EXCEPTIONS.record_of(error) is not None:
        return True
    for base in type(error).__mro__:
        package = base.__module__.partition(".")[0]
        if (package, base.__name__) in {("anthropic", "AnthropicError"), ("claudescope", "CircuitOpenError")}:
            return True
    # For a missing key the SDK raises a plain TypeError, which only its message identifies.
    return type(error) is TypeError and classify(error).name == "authentication_error"


def _search(error: BaseException) -> FoundFailures | None:
    errors: list[BaseException] = []
    others: list[BaseException] = []
    _collect(error, errors, others, set())
    return FoundFailures(tuple(errors), tuple(others)) if errors else None


def _collect(error: BaseException, errors: list[BaseException], others: list[BaseException], seen: set[int]) -> None:
    """Add the failed calls that `error` is about to `errors`, and what else it is about to `others`."""
    if id(error) in seen or len(seen) >= MAX_EXCEPTIONS:
        return
    seen.add(id(error))
    if is_failed_call(error):
        errors.append(error)
    elif members := members_of(error):
        for member in members:
            _collect(member, errors, others, seen)
    elif error.__cause__ is not None:
        _collect_origin(error, error.__cause__, errors, others, seen)
    elif (
        error.__context__ is not None and not error.__suppress_context__ and wraps_in_handler(error, error.__context__)
    ):
        _collect_origin(error, error.__context__, errors, others, seen)
    else:
        others.append(error)


def _collect_origin(
    error: BaseException,
    origin: BaseException,
    errors: list[BaseException],
    others: list[BaseException],
    seen: set[int],
) -> None:
    before = len(errors), len(others)
    _collect(origin, errors, others, seen)
    if len(errors) == before[0]:  # no failed call below: the wrapper stands for what it wraps
        others[before[1] :] = [error]


def _in_message(event: Mapping[str, Any], hint: Mapping[str, Any]) -> FoundFailures | None:
    """Find the failed call in an event without a traceback: a log argument, or a text from an `except` block."""
    for argument in _logged_exceptions(hint):
        if (found := _search(argument)) is not None:
            return FoundFailures(found.errors, found.others, argument)
    handled = sys.exc_info()[1]
    found = None if handled is None else _search(handled)
    if handled is None or found is None or "exception" in event:
        return None
    text = message_of(event, hint)[:_LONGEST_MESSAGE]
    if not any(_names(text, normalise(text), error) for error in walk(handled)):
        return None
    return FoundFailures(found.errors, found.others, handled)


def _logged_exceptions(hint: Mapping[str, Any]) -> list[BaseException]:
    record = hint.get("log_record")
    if not isinstance(record, logging.LogRecord):
        return []
    arguments = record.args.values() if isinstance(record.args, Mapping) else record.args or ()
    return [argument for argument in (record.msg, *arguments) if isinstance(argument, BaseException)]


def message_of(event: Mapping[str, Any], hint: Mapping[str, Any]) -> str:
    """The message of an event: that of its log record, or its own."""
    record = hint.get("log_record")
    if isinstance(record, logging.LogRecord):
        return record.getMessage()
    entry = as_dict(event.get("logentry"))
    return " ".join(str(text) for text in (event.get("message"), entry.get("formatted"), entry.get("message")) if text)


def _names(text: str, normal: str, error: BaseException) -> bool:
    """Whether a message is about an exception: it quotes it, or has its class or request id."""
    if is_failed_call(error):
        request_id: object = getattr(error, "request_id", None)
        if isinstance(request_id, str) and request_id and request_id in text:
            return True
        name = type(error).__name__
        if name != "TypeError" and re.search(rf"\b{re.escape(name)}\b", text):
            return True
    for private in (*texts_of(error), repr(error)):
        if private in text:
            return True
        known = normalise(private[:_LONGEST_MESSAGE])
        step = SHORTEST_QUOTE // 2
        if any(
            known[start : start + step] in normal and _quotes(normal, known, start)
            for start in range(0, len(known) - step + 1, step)
        ):
            return True
    return False


def _quotes(normal: str, known: str, start: int) -> bool:
    """Whether a quote of `known` around the block at `start` is in a message."""
    return any(
        known[first : first + SHORTEST_QUOTE] in normal
        for first in range(max(0, start - SHORTEST_QUOTE // 2), start + 1)
        if first + SHORTEST_QUOTE <= len(known)
    )
