"""Finds the failed calls in an event: bare, wrapped, in an exception group, or named by a log record."""

from __future__ import annotations

import dis
import logging
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, cast

from claudescope.schema.classify import classify
from claudescope.sentry.exception_registry import EXCEPTIONS

__all__ = ["FoundFailures", "chain", "find_failures", "reported_error"]

_CHAIN_LIMIT: Final = 32
_RAISE: Final = dis.opmap["RAISE_VARARGS"]


@dataclass(frozen=True, slots=True)
class FoundFailures:
    """The failed calls in an event.

    Attributes:
        errors: Their exceptions. The first one decides the event's error type.
        alone: Whether the event is about nothing else. False for an exception group with other members.
    """

    errors: tuple[BaseException, ...]
    alone: bool


def find_failures(event: Mapping[str, Any], hint: Mapping[str, Any]) -> FoundFailures | None:
    """Find the failed calls in an event; None without any.

    Args:
        event: The event as Sentry made it.
        hint: The hint that Sentry gives with it.
    """
    error = reported_error(hint)
    if error is not None:
        return _search(error)
    record = hint.get("log_record")
    return _in_log_record(record, event) if isinstance(record, logging.LogRecord) else None


def reported_error(hint: Mapping[str, Any]) -> BaseException | None:
    """The exception that an event was made from; None without one."""
    exc_info: object = hint.get("exc_info")
    if not isinstance(exc_info, tuple):
        return None
    error = cast("tuple[object, ...]", exc_info)[1]
    return error if isinstance(error, BaseException) else None


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its causes and contexts, and the members of groups."""
    pending, seen = [error], set[int]()
    while pending and len(seen) < _CHAIN_LIMIT:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        pending.extend(_members(current))
        pending.extend(origin for origin in (current.__cause__, current.__context__) if origin is not None)


def _search(error: BaseException) -> FoundFailures | None:
    errors: list[BaseException] = []
    alone = _collect(error, errors, set())
    return FoundFailures(tuple(errors), alone) if errors else None


def _collect(error: BaseException, errors: list[BaseException], seen: set[int]) -> bool:
    """Add the failed calls in `error` to `errors`. Returns whether it is about nothing else."""
    if id(error) in seen or len(seen) >= _CHAIN_LIMIT:
        return False
    seen.add(id(error))
    if _is_failed_call(error):
        errors.append(error)
        return True
    if members := _members(error):
        return all([_collect(member, errors, seen) for member in members])  # noqa: C419 - no short circuit: every member is searched
    if error.__cause__ is not None:
        return _collect(error.__cause__, errors, seen)
    context = error.__context__
    if context is None or error.__suppress_context__ or not _raised_in_handler(error, context):
        return False
    return _collect(context, errors, seen)


def _members(error: BaseException) -> tuple[BaseException, ...]:
    members: object = getattr(error, "exceptions", None)
    if not isinstance(members, tuple):
        return ()
    return tuple(one for one in cast("tuple[object, ...]", members)[:_CHAIN_LIMIT] if isinstance(one, BaseException))


def _is_failed_call(error: BaseException) -> bool:
    if EXCEPTIONS.record_of(error) is not None:
        return True
    for base in type(error).__mro__:
        package = base.__module__.partition(".")[0]
        if (package, base.__name__) in {("anthropic", "AnthropicError"), ("claudescope", "CircuitOpenError")}:
            return True
    # For a missing key the SDK raises a plain TypeError, which only its message identifies.
    return type(error) is TypeError and classify(error).name == "authentication_error"


def _raised_in_handler(error: BaseException, context: BaseException) -> bool:
    """Whether a `raise` in the function that caught `context` raised `error`, rather than a bug or a failing fallback.

    Without `from`, Python sets the context of every exception that is raised while another one is handled.
    """
    last, caught = error.__traceback__, context.__traceback__
    if last is None or caught is None:
        return True  # created without being raised
    while last.tb_next is not None:
        last = last.tb_next
    raised = last.tb_frame.f_code.co_code[last.tb_lasti] == _RAISE
    return raised and any(frame is last.tb_frame for frame in _frames(caught))


def _frames(traceback: TracebackType | None) -> Iterator[object]:
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _in_log_record(record: logging.LogRecord, event: Mapping[str, Any]) -> FoundFailures | None:
    """Find the failed call in a log record without a traceback: an argument, or text logged in an `except` block."""
    arguments = record.args.values() if isinstance(record.args, Mapping) else record.args or ()
    for argument in (record.msg, *arguments):
        if isinstance(argument, BaseException) and (found := _search(argument)) is not None:
            return found
    handled = sys.exc_info()[1]
    found = None if handled is None else _search(handled)
    if found is None or "exception" in event:
        return None
    text = record.getMessage()
    return found if any(str(error) in text for error in found.errors if str(error)) else None
