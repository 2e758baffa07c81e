"""The span of a call where the SDK makes none: the same kind, name and attributes as its own since 1.14."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, use_span
from opentelemetry.util.types import AttributeValue

from claudescope.probe.sdk import span_name
from claudescope.schema.record import CallRecord, CallStart

__all__ = ["current", "end_span", "start_span"]

_NO_SPAN: Final = nullcontext()


def start_span(tracer: Tracer, start: CallStart, options: Any, port: int) -> Span:
    """Start the span of a call, with what a sampler may want to see.

    Args:
        tracer: Makes the span.
        start: What is known of the call.
        options: The SDK's options of the request.
        port: Port of the API.
    """
    attributes: dict[str, AttributeValue] = {
        "gen_ai.operation.name": start.operation,
        "gen_ai.provider.name": start.provider,
        "http.request.method": str(options.method).upper(),
        "server.address": start.server_address,
        "server.port": port,
    }
    if start.request_model is not None:
        attributes["gen_ai.request.model"] = start.request_model
    if start.stream:
        attributes["gen_ai.request.stream"] = True
    return tracer.start_span(span_name(start.operation), kind=SpanKind.CLIENT, attributes=attributes)


def current(span: Span | None, *, own: bool) -> AbstractContextManager[object]:
    """Has a span of our own current while the SDK works, as the SDK has its own."""
    if span is None or not own:
        return _NO_SPAN
    return use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False)


def end_span(span: Span, record: CallRecord) -> None:
    """Write what a finished call tells to the span of our own, and end it when the call ended."""
    usage = record.usage
    values: dict[str, AttributeValue | None] = {
        "anthropic.message.stop_reason": record.finish_reason,
        "anthropic.request.id": record.request_id,
        "error.type": record.error_type,
        "gen_ai.response.model": record.response_model,
        "gen_ai.response.time_to_first_chunk": record.time_to_first_chunk,
        "http.request.resend_count": record.retries or None,
        "http.response.status_code": record.status_code,
    }
    if usage is not None:
        values |= {
            "gen_ai.usage.input_tokens": usage.input_tokens,
            "gen_ai.usage.output_tokens": usage.output_tokens,
            "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens,
            "gen_ai.usage.cache_write.input_tokens": usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        }
        if usage.reasoning_tokens:
            values["gen_ai.usage.reasoning.output_tokens"] = usage.reasoning_tokens
    span.set_attributes({name: value for name, value in values.items() if value is not None})
    if record.outcome == "error":
        span.set_status(Status(StatusCode.ERROR))
    elif record.outcome == "ok":
        span.set_status(Status(StatusCode.OK))
    span.end(end_time=int((record.started_at.timestamp() + record.duration) * 1e9))
