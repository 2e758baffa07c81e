"""Adds to the span of a call what the SDK's tracing does not write."""

from __future__ import annotations

from typing import ClassVar, Final

from opentelemetry.trace import Span
from opentelemetry.util.types import AttributeValue

from claudescope._internal.correlation import CURRENT
from claudescope.schema import attributes as names
from claudescope.schema.record import Attempt, CallStart, SpanOutcome
from claudescope.sinks.sink import Sink

__all__ = ["SpansSink"]


_CORRELATION: Final = names.CORRELATION_ID.name
_COST: Final = names.COST.name
_ERROR_TYPE: Final = names.ERROR_TYPE.name
_FINISH_REASONS: Final = names.FINISH_REASONS.name
_OUTCOME: Final = names.OUTCOME.name
_OUR_ERROR_TYPE: Final = names.CLAUDE_ERROR_TYPE.name
_WORKFLOW: Final = names.WORKFLOW.name
_EXTRA_INPUT: Final = names.EXTRA_INPUT_TOKENS.name
_EXTRA_OUTPUT: Final = names.EXTRA_OUTPUT_TOKENS.name


class SpansSink(Sink):
    """Writes cost, outcome, finish reason, workflow and retries to the span of a call, the SDK's or claudescope's."""

    name: ClassVar[str] = "spans"

    def retrying(self, start: CallStart, attempt: Attempt, span: Span | None, at: int) -> None:
        """Add the event `claude.retry`, at the time the attempt failed."""
        if span is None:
            return
        attributes: dict[str, AttributeValue] = {names.RETRY_DELAY.name: attempt.delay}
        if attempt.error_type is not None:
            attributes[_ERROR_TYPE] = attempt.error_type
        if attempt.status_code is not None:
            attributes[names.HTTP_STATUS.name] = attempt.status_code
        if attempt.request_id is not None:
            attributes[names.REQUEST_ID.name] = attempt.request_id
        span.add_event(names.RETRY_EVENT.name, attributes, timestamp=at)

    def ending(self, ending: SpanOutcome, span: Span) -> None:
        """Set the attributes that the SDK does not set."""
        attributes: dict[str, AttributeValue] = {_OUTCOME: ending.outcome}
        if ending.error_type is not None:
            # The SDK has the last word on `error.type`, which is sometimes coarser.
            attributes[_OUR_ERROR_TYPE] = ending.error_type
        if ending.finish_reason is not None:
            attributes[_FINISH_REASONS] = (ending.finish_reason,)
        if ending.cost_usd is not None:
            attributes[_COST] = float(ending.cost_usd)
        if ending.workflow is not None:
            attributes[_WORKFLOW] = ending.workflow
        correlation_id = CURRENT.get()
        if correlation_id is not None:
            attributes[_CORRELATION] = correlation_id
        if ending.extra_usage:
            attributes[_EXTRA_INPUT] = sum(part.usage.input_tokens for part in ending.extra_usage)
            attributes[_EXTRA_OUTPUT] = sum(part.usage.output_tokens for part in ending.extra_usage)
        span.set_attributes(attributes)
