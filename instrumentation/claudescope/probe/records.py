"""Makes the record of a call that has ended."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from opentelemetry import trace

from claudescope.schema.record import CallRecord, CallStart, Outcome, draft_of

if TYPE_CHECKING:
    from claudescope.probe.call import Call

__all__ = ["bare_record", "record_of"]

_DraftRecord: Final = draft_of(CallRecord)


def record_of(call: Call, outcome: Outcome, error_type: str | None, error: BaseException | None) -> CallRecord:
    """The record of the call, which ends in `outcome` now, or ended when the app dropped its stream."""
    attempts = call.attempts.ended(error_type, error, streaming=call.streaming)
    last = attempts[-1] if attempts else None
    start, timings, facts, limits = call.sent_as or call.start, call.timings, call.facts, call.attempts.rate_limits
    usage, extra, cost = call.bill()
    # The span around the call is looked for only where it has none of its own.
    span = trace.get_current_span(call.parent_context) if call.span is None else call.span
    context = span.get_span_context()
    is_valid = context.is_valid
    # In the order of the fields: to name them here would cost as much again as all the rest.
    record = _DraftRecord(
        start.operation,
        start.provider,
        call.start.request_model,
        facts.model,
        start.stream,
        outcome,
        error_type,
        last.status_code if last else None,
        last.request_id if last else None,
        start.workflow,
        start.server_address,
        timings.began_at,
        timings.duration,
        timings.time_to_first_content,
        timings.stall,
        timings.content_seconds,
        attempts,
        usage,
        cost,
        facts.finish_reason,
        {} if limits is None else limits,
        context.trace_id.to_bytes(16, "big").hex() if is_valid else None,
        context.span_id.to_bytes(8, "big").hex() if is_valid else None,
        extra,
        call.protection,
    )
    record.__class__ = CallRecord
    return record


def bare_record(start: CallStart, outcome: Outcome, error_type: str | None) -> CallRecord:
    """The record of a call whose facts could not be read: it says that the call was made, and how it ended."""
    return CallRecord(
        operation=start.operation,
        provider=start.provider,
        request_model=start.request_model,
        response_model=None,
        stream=start.stream,
        outcome=outcome,
        error_type=error_type,
        status_code=None,
        request_id=None,
        workflow=start.workflow,
        server_address=start.server_address,
        started_at=datetime.now(timezone.utc),
        duration=0.0,
        time_to_first_chunk=None,
        longest_stall=None,
        stream_seconds=None,
        attempts=(),
        usage=None,
        cost_usd=None,
        finish_reason=None,
        rate_limits={},
        trace_id=None,
        span_id=None,
    )
