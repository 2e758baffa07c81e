"""Writes one structured log record per call: to stdlib logging, and to OpenTelemetry's logs where a provider is set.

The record's message is a line for people; its fields carry the names that spans and metrics use. It holds what
`CallRecord` holds and nothing else: no prompt, no completion, no key, and no text of an error, which may quote either.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import ClassVar, Final

from opentelemetry._logs import LoggerProvider
from opentelemetry.context import Context, attach, detach

from claudescope.schema.record import CallRecord
from claudescope.sinks.events import Events
from claudescope.sinks.sink import Sink

__all__ = ["EVENT_NAME", "LOGGER_NAME", "Field", "LogsSink", "fields_of"]

LOGGER_NAME: Final = "claudescope.calls"
"""The stdlib logger. Its level and handlers are the app's to set."""

EVENT_NAME: Final = "claude.call"
"""The event name of OpenTelemetry's log records."""

Field = str | int | float | bool | tuple[str, ...]
"""What a field can hold."""

# An error is a warning here: whether it is one for the app, the app decides, and error trackers take levels above for
# something to report.
_LEVELS: Final[Mapping[str, int]] = {"error": logging.WARNING}

_FIELDS: Final[Mapping[str, Callable[[CallRecord], Field | None]]] = {
    "gen_ai.operation.name": lambda call: call.operation,
    "gen_ai.provider.name": lambda call: call.provider,
    "gen_ai.request.model": lambda call: call.request_model,
    "gen_ai.response.model": lambda call: call.response_model,
    "gen_ai.request.stream": lambda call: True if call.stream else None,
    "server.address": lambda call: call.server_address,
    "claude.workflow": lambda call: call.workflow,
    "claude.outcome": lambda call: call.outcome,
    "error.type": lambda call: call.error_type,
    "http.response.status_code": lambda call: call.status_code,
    "anthropic.request.id": lambda call: call.request_id,
    "claude.started_at": lambda call: call.started_at.isoformat(),
    "claude.duration": lambda call: round(call.duration, 6),
    "gen_ai.response.time_to_first_chunk": lambda call: call.time_to_first_chunk,
    "gen_ai.response.finish_reasons": lambda call: None if call.finish_reason is None else (call.finish_reason,),
    "claude.attempts": lambda call: len(call.attempts),
    "claude.retry.delay": lambda call: sum(attempt.delay for attempt in call.attempts) or None,
    "claude.cost.usd": lambda call: None if call.cost_usd is None else float(call.cost_usd),
}
_TRACE_FIELDS: Final[Mapping[str, Callable[[CallRecord], Field | None]]] = {
    # Of stdlib's records: OpenTelemetry's have a place of their own for them.
    "trace_id": lambda call: call.trace_id,
    "span_id": lambda call: call.span_id,
}
_USAGE_FIELDS: Final = {
    "gen_ai.usage.input_tokens": "input_tokens",
    "gen_ai.usage.output_tokens": "output_tokens",
    "gen_ai.usage.cache_read.input_tokens": "cache_read_tokens",
    "gen_ai.usage.reasoning.output_tokens": "reasoning_tokens",
}

_writing: ContextVar[bool] = ContextVar("claudescope_writing_a_log", default=False)


class LogsSink(Sink):
    """Writes a record per call, at INFO, and at WARNING for a call that ended in an error.

    A handler may take its time: it runs where the call ended, as it does for every record that the app logs.

    Args:
        provider: Where OpenTelemetry's records go; None for the global provider, also where the app sets that later.
        stdlib: Write to the stdlib logger too.
    """

    name: ClassVar[str] = "logs"

    def __init__(self, provider: LoggerProvider | None = None, *, stdlib: bool = True) -> None:
        self._stdlib = stdlib
        self._logger = logging.getLogger(LOGGER_NAME)
        if not any(isinstance(handler, logging.NullHandler) for handler in self._logger.handlers):
            # Without one, Python prints warnings of an app that has set up no logging on its standard error.
            self._logger.addHandler(logging.NullHandler())
        self._events = Events(provider)

    def finished(self, record: CallRecord, context: Context | None = None) -> None:
        """Write the record of a call, unless a handler of such a record made the call."""
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
                # Not as `extra`, which raises where the app's own record factory has set the same name.
                entry.__dict__.setdefault(name, value)
            self._logger.handle(entry)


def fields_of(record: CallRecord) -> dict[str, Field]:
    """What a record says of its call, by the names of spans and metrics; what is not known is left out."""
    fields = _read(record, _FIELDS)
    usage = record.usage
    if usage is not None:
        for name, attribute in _USAGE_FIELDS.items():
            fields[name] = getattr(usage, attribute)
        fields["gen_ai.usage.cache_write.input_tokens"] = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
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
    """Whether a handler hands the logger's records to OpenTelemetry, which then has them already."""
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
