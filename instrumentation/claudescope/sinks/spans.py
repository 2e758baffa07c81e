"""Adds to a call's span, the SDK's or ours, what the SDK's tracing does not say."""

from __future__ import annotations

from typing import ClassVar

from opentelemetry.trace import Span
from opentelemetry.util.types import AttributeValue

from claudescope.schema.record import Attempt, CallStart, SpanOutcome
from claudescope.sinks.sink import Sink

__all__ = ["SpansSink"]


class SpansSink(Sink):
    """Writes cost, outcome, finish reason, workflow and retries to the span of a call, whoever made it."""

    name: ClassVar[str] = "spans"

    def retrying(self, start: CallStart, attempt: Attempt, span: Span | None, at: int) -> None:
        """Add the event `claude.retry`, at the time the attempt failed."""
        if span is None:
            return
        attributes: dict[str, AttributeValue] = {"claude.retry.delay": attempt.delay}
        if attempt.error_type is not None:
            attributes["error.type"] = attempt.error_type
        if attempt.status_code is not None:
            attributes["http.response.status_code"] = attempt.status_code
        if attempt.request_id is not None:
            attributes["anthropic.request.id"] = attempt.request_id
        span.add_event("claude.retry", attributes, timestamp=at)

    def ending(self, ending: SpanOutcome, span: Span) -> None:
        """Set the attributes that the SDK does not."""
        attributes: dict[str, AttributeValue] = {"claude.outcome": ending.outcome}
        if ending.error_type is not None:
            # The SDK has the last word on `error.type`, which is at times coarser than the kind.
            attributes["claude.error_type"] = ending.error_type
        if ending.finish_reason is not None:
            attributes["gen_ai.response.finish_reasons"] = (ending.finish_reason,)
        if ending.cost_usd is not None:
            attributes["claude.cost.usd"] = float(ending.cost_usd)
        if ending.workflow is not None:
            attributes["claude.workflow"] = ending.workflow
        span.set_attributes(attributes)
