"""The span of a call where the SDK makes none, with the kind, name and attributes of the SDK's own since 1.14."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, use_span
from opentelemetry.util.types import AttributeValue

from claudescope.probe.sdk import span_name
from claudescope.schema import attributes as names
from claudescope.schema.record import CallRecord, CallStart

__all__ = ["current", "end_span", "start_span"]

_NO_SPAN: Final = nullcontext()


def start_span(tracer: Tracer, start: CallStart, options: Any, port: int) -> Span:
    """Start the span of a call, with the attributes that a sampler may need.

    Args:
        tracer: Makes the span.
        start: What is known of the call.
        options: The SDK's options of the request.
        port: Port of the API.
    """
    attributes: dict[str, AttributeValue] = {
        names.OPERATION.name: start.operation,
        names.PROVIDER.name: start.provider,
        names.HTTP_METHOD.name: str(options.method).upper(),
        names.SERVER_ADDRESS.name: start.server_address,
        names.SERVER_PORT.name: port,
    }
    if start.request_model is not None:
        attributes[names.REQUEST_MODEL.name] = start.request_model
    if start.stream:
        attributes[names.REQUEST_STREAM.name] = True
    return tracer.start_span(span_name(start.operation), kind=SpanKind.CLIENT, attributes=attributes)


def current(span: Span | None, *, own: bool) -> AbstractContextManager[object]:
    """Make the span current while the SDK works, where claudescope made it. The SDK does that for its own."""
    if span is None or not own:
        return _NO_SPAN
    return use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False)


def end_span(span: Span, record: CallRecord) -> None:
    """Write the facts of a finished call to the span that claudescope made, and end it at the call's end."""
    usage = record.usage
    values: dict[str, AttributeValue | None] = {
        names.STOP_REASON.name: record.finish_reason,
        names.REQUEST_ID.name: record.request_id,
        names.ERROR_TYPE.name: record.error_type,
        names.RESPONSE_MODEL.name: record.response_model,
        names.TIME_TO_FIRST_CHUNK.name: record.time_to_first_chunk,
        names.RESEND_COUNT.name: record.retries or None,
        names.HTTP_STATUS.name: record.status_code,
    }
    if usage is not None:
        values |= {
            names.INPUT_TOKENS.name: usage.input_tokens,
            names.OUTPUT_TOKENS.name: usage.output_tokens,
            names.CACHE_READ_TOKENS.name: usage.cache_read_tokens,
            names.CACHE_WRITE_TOKENS.name: usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        }
        if usage.reasoning_tokens:
            values[names.REASONING_TOKENS.name] = usage.reasoning_tokens
    span.set_attributes({name: value for name, value in values.items() if value is not None})
    if record.outcome == "error":
        span.set_status(Status(StatusCode.ERROR))
    elif record.outcome == "ok":
        span.set_status(Status(StatusCode.OK))
    span.end(end_time=int((record.started_at.timestamp() + record.duration) * 1e9))
