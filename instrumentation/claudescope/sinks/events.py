"""Emits events to OpenTelemetry's logs, in the context of the call's span."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import context, trace
from opentelemetry._logs import Logger, LoggerProvider, SeverityNumber, get_logger
from opentelemetry.trace import NonRecordingSpan, SpanContext

from claudescope._internal.version import VERSION
from claudescope.schema.catalogue import SCOPE_NAME
from claudescope.schema.record import CallRecord

__all__ = ["Events"]

_SEVERITIES: Final = {logging.INFO: SeverityNumber.INFO, logging.WARNING: SeverityNumber.WARN}
# Older versions take a log record of OpenTelemetry's SDK, which has no event name.
_HAS_EVENTS: Final = "event_name" in inspect.signature(Logger.emit).parameters


class Events:
    """Emits events to one logger provider.

    Args:
        provider: The provider; None for the global one, also where the app sets that later.
    """

    def __init__(self, provider: LoggerProvider | None = None) -> None:
        self._logger = get_logger(SCOPE_NAME, VERSION, provider)

    def emit(
        self,
        name: str,
        record: CallRecord,
        attributes: Mapping[str, Any],
        body: str | None = None,
        level: int = logging.INFO,
    ) -> None:
        """Emit an event of a call that has just ended. Does nothing where OpenTelemetry's API has no events yet.

        Args:
            name: The event's name.
            record: The call.
            attributes: The event's attributes, structured.
            body: A message for people; None for none.
            level: `logging.INFO` or `logging.WARNING`.
        """
        if not _HAS_EVENTS:
            return
        self._logger.emit(
            timestamp=time.time_ns(),
            context=_context_of(record),
            severity_number=_SEVERITIES[level],
            severity_text=logging.getLevelName(level),
            body=body,
            attributes=attributes,
            event_name=name,
        )


def _context_of(record: CallRecord) -> context.Context:
    """The context of a call, even where its record is made on another thread, as for a dropped stream."""
    if record.trace_id is None or record.span_id is None:
        return context.get_current()
    current = trace.get_current_span().get_span_context()
    trace_id, span_id = int(record.trace_id, 16), int(record.span_id, 16)
    if (current.trace_id, current.span_id) == (trace_id, span_id):
        return context.get_current()
    return trace.set_span_in_context(NonRecordingSpan(SpanContext(trace_id, span_id, is_remote=False)))
