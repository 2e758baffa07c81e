"""Writes one structured log record per call: to stdlib logging, and to OpenTelemetry's logs where a provider is set.

The record's message is for people; its fields have the names that spans and metrics use. It holds only what
`CallRecord` holds: no prompt, no completion, no key, and no error message, which may quote any of them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import ClassVar, Final

from opentelemetry._logs import LoggerProvider
from opentelemetry.context import Context, attach, detach

from claudescope._internal.correlation import CURRENT
from claudescope.schema import attributes as names
from claudescope.schema.record import CallRecord
from claudescope.sinks.events import Events
from claudescope.sinks.sink import Sink

__all__ = ["EVENT_NAME", "LOGGER_NAME", "Field", "LogsSink", "fields_of"]

LOGGER_NAME: Final = "claudescope.calls"
"""The stdlib logger. The app sets its level and handlers."""

EVENT_NAME: Final = names.CALL_EVENT.name
"""The event name of OpenTelemetry's log records."""

Field = str | int | float | bool | tuple[str, ...]
"""The type of a field's value."""

# A failed call is a warning: the app decides whether it is an error for the app, and error trackers report higher
# levels.
_LEVELS: Final[Mapping[str, int]] = {"error": logging.WARNING}

_FIELDS: Final[Mapping[str, Callable[[CallRecord], Field | None]]] = {
    names.OPERATION.name: lambda call: call.operation,
    names.PROVIDER.name: lambda call: call.provider,
    names.REQUEST_MODEL.name: lambda call: call.request_model,
    names.RESPONSE_MODEL.name: lambda call: call.response_model,
    names.REQUEST_STREAM.name: lambda call: True if call.stream else None,
    names.SERVER_ADDRESS.name: lambda call: call.server_address,
    names.WORKFLOW.name: lambda call: call.workflow,
    names.OUTCOME.name: lambda call: call.outcome,
    names.ERROR_TYPE.name: lambda call: call.error_type,
    names.HTTP_STATUS.name: lambda call: call.status_code,
    names.REQUEST_ID.name: lambda call: call.request_id,
    names.STARTED_AT.name: lambda call: call.started_at.isoformat(),
    names.CALL_DURATION.name: lambda call: round(call.duration, 6),
    names.TIME_TO_FIRST_CHUNK.name: lambda call: call.time_to_first_chunk,
    names.FINISH_REASONS.name: lambda call: None if call.finish_reason is None else (call.finish_reason,),
    names.ATTEMPTS.name: lambda call: len(call.attempts),
    names.RETRY_DELAY.name: lambda call: sum(attempt.delay for attempt in call.attempts) or None,
    names.COST.name: lambda call: None if call.cost_usd is None else float(call.cost_usd),
    names.CORRELATION_ID.name: lambda _: CURRENT.get(),
}
_TRACE_FIELDS: Final[Mapping[str, Callable[[CallRecord], Field | None]]] = {
    # Only of stdlib's records: OpenTelemetry's records have a trace and a span of their own.
    names.TRACE_ID.name: lambda call: call.trace_id,
    names.SPAN_ID.name: lambda call: call.span_id,
}
_USAGE_FIELDS: Final = {
    names.INPUT_TOKENS.name: "input_tokens",
    names.OUTPUT_TOKENS.name: "output_tokens",
    names.CACHE_READ_TOKENS.name: "cache_read_tokens",
    names.REASONING_TOKENS.name: "reasoning_tokens",
}

_writing: ContextVar[bool] = ContextVar("claudescope_writing_a_log", default=False)


class LogsSink(Sink):
    """Writes a record per call, at INFO, or at WARNING where the call ended in an error.

    A handler runs in the thread of the call, like for every record that the app logs.

    Args:
        provider: Where OpenTelemetry's records go; None for the global provider, also where the app sets that later.
        stdlib: Whether to write to the stdlib logger too.
    """

    name: ClassVar[str] = "logs"

    def __init__(self, provider: LoggerProvider | None = None, *, stdlib: bool = True) -> None:
        self._stdlib = stdlib
        self._logger = logging.getLogger(LOGGER_NAME)
        if not any(isinstance(handler, logging.NullHandler) for handler in self._logger.handlers):
            # Without one, Python prints warnings to standard error where the app has not set up logging.
            self._logger.addHandler(logging.NullHandler())
        self._events = Events(provider)

    def finished(self, record: CallRecord, context: Context | None = None) -> None:
        """Write the record of a call, unless a handler made the call while it handled such a record."""
        if _writing.get():
            return
        token, inside = _writing.set(True), None if context is None else attach(context)
        try:
            self._write(record)
        finally:
            if inside is not None:
                detach(inside)
            _writing.reset(token)

    def _write(self, record: CallRecord) -> None:
        level = _LEVELS.get(record.outcome, logging.INFO)
        enabled = self._stdlib and self._logger.isEnabledFor(level)
        bridged = self._stdlib and _is_bridged(self._logger)
        if not enabled and bridged:
            return
        message, fields = _line(record), fields_of(record)
        if not bridged:
            self._events.emit(EVENT_NAME, record, fields, message, level)
        if enabled:
            entry = self._logger.makeRecord(LOGGER_NAME, level, __file__, 0, message, (), None, "finished")
            for name, value in (fields | _read(record, _TRACE_FIELDS)).items():
                # Not as `extra`, which raises where the app's record factory has set the same name.
                entry.__dict__.setdefault(name, value)
            self._logger.handle(entry)


def fields_of(record: CallRecord) -> dict[str, Field]:
    """The fields of a record, by the names of spans and metrics, without those that are not known."""
    fields = _read(record, _FIELDS)
    usage = record.usage
    if usage is not None:
        for name, attribute in _USAGE_FIELDS.items():
            fields[name] = getattr(usage, attribute)
        fields[names.CACHE_WRITE_TOKENS.name] = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
    if record.extra_usage:
        fields[names.EXTRA_INPUT_TOKENS.name] = sum(part.usage.input_tokens for part in record.extra_usage)
        fields[names.EXTRA_OUTPUT_TOKENS.name] = sum(part.usage.output_tokens for part in record.extra_usage)
    return fields


def _read(record: CallRecord, table: Mapping[str, Callable[[CallRecord], Field | None]]) -> dict[str, Field]:
    return {name: value for name, read in table.items() if (value := read(record)) is not None}


def _line(record: CallRecord) -> str:
    words = [record.operation, record.request_model or "", record.error_type or record.outcome]
    words.append(f"{record.duration:.2f}s")
    if record.usage is not None:
        words.append(f"{record.usage.input_tokens}+{record.usage.output_tokens} tokens")
    if record.cost_usd is not None:
        words.append(f"${record.cost_usd:.4f}")
    if record.retries:
        words.append(f"{record.retries} retried")
    return " ".join(filter(None, words))


def _is_bridged(logger: logging.Logger) -> bool:
    """Whether a handler passes the logger's records to OpenTelemetry already."""
    current: logging.Logger | None = logger
    while current is not None:
        for handler in current.handlers:
            if any(
                base.__name__ == "LoggingHandler" and base.__module__.startswith("opentelemetry.")
                for base in type(handler).__mro__
            ):
                return True
        current = current.parent if current.propagate else None
    return False
