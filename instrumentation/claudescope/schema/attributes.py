"""Every attribute of spans, span events, log records and events that claudescope emits, declared once.

Names are OpenTelemetry's where its semantic conventions have one, the SDK's own tracing's where that has one
(`anthropic.`), and start with `claude.` otherwise. An attribute that is a label of a metric too has its name and its
description from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from claudescope.schema import catalogue
from claudescope.schema.catalogue import Label

__all__ = ["ATTRIBUTES", "EVENTS", "Attribute", "AttributeType", "Event", "Place"]

Place = Literal["span", "span event", "log record", "event"]
"""What an attribute is emitted on.

- `span`: the span of a call. On spans of the SDK, the SDK writes the attributes that it knows itself.
- `span event`: an event on that span.
- `log record`: the record per call, in OpenTelemetry's logs and in stdlib logging.
- `event`: the event with the content of a call, in OpenTelemetry's logs.
"""

AttributeType = Literal["string", "int", "double", "boolean", "string[]", "structure"]
"""The type of an attribute's value. A `structure` is a list of messages or parts: JSON text on a span."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute.

    Attributes:
        name: Its name.
        description: What it says, in one sentence.
        emitted_on: Where it is emitted.
        type: The type of its value.
    """

    name: str
    description: str
    emitted_on: tuple[Place, ...]
    type: AttributeType = "string"


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        name: Its name.
        description: When it is emitted, in one sentence.
        emitted_on: What it is: an event on a span, a log record or an event in OpenTelemetry's logs.
    """

    name: str
    description: str
    emitted_on: Place


_ON_SPAN: Final[tuple[Place, ...]] = ("span",)
_ON_LOG: Final[tuple[Place, ...]] = ("log record",)
_ON_CALL: Final[tuple[Place, ...]] = ("span", "log record")
_ON_ALL: Final[tuple[Place, ...]] = ("span", "log record", "event")
_ON_CONTENT: Final[tuple[Place, ...]] = ("span", "event")


def _of_label(label: Label, emitted_on: tuple[Place, ...]) -> Attribute:
    return Attribute(label.name, label.description, emitted_on)


OPERATION: Final = _of_label(catalogue.OPERATION, _ON_ALL)
PROVIDER: Final = _of_label(catalogue.PROVIDER, _ON_ALL)
REQUEST_MODEL: Final = _of_label(catalogue.REQUEST_MODEL, _ON_ALL)
RESPONSE_MODEL: Final = _of_label(catalogue.RESPONSE_MODEL, _ON_ALL)
REQUEST_STREAM: Final = Attribute(
    "gen_ai.request.stream", "True where the app asked for a stream; absent otherwise.", _ON_ALL, "boolean"
)
CORRELATION_ID: Final = Attribute(
    "claude.correlation_id",
    "The id of the request that the call was made in, where `claudescope.web` handles it; absent otherwise.",
    _ON_CALL,
)
SERVER_ADDRESS: Final = _of_label(catalogue.SERVER_ADDRESS, _ON_ALL)
SERVER_PORT: Final = Attribute("server.port", "Port of the API.", _ON_SPAN, "int")
HTTP_METHOD: Final = Attribute("http.request.method", "HTTP method of the request, such as POST.", _ON_SPAN)
HTTP_STATUS: Final = Attribute(
    "http.response.status_code",
    "HTTP status of the last attempt, or of the attempt that failed; absent where no response came.",
    ("span", "span event", "log record"),
    "int",
)
RESEND_COUNT: Final = Attribute(
    "http.request.resend_count", "Number of retries; absent where there were none.", _ON_SPAN, "int"
)
REQUEST_ID: Final = Attribute(
    "anthropic.request.id",
    "The API's id of the last request, or of the one that failed; quote it to Anthropic's support.",
    ("span", "span event", "log record"),
)
STOP_REASON: Final = Attribute("anthropic.message.stop_reason", "Why the model stopped.", _ON_SPAN)
FINISH_REASONS: Final = Attribute(
    "gen_ai.response.finish_reasons",
    "Why the model stopped, as a list of one; absent where no response said.",
    _ON_ALL,
    "string[]",
)
TIME_TO_FIRST_CHUNK: Final = Attribute(
    "gen_ai.response.time_to_first_chunk",
    "Time to first token of a stream, in seconds.",
    _ON_ALL,
    "double",
)
OUTCOME: Final = _of_label(catalogue.OUTCOME, _ON_CALL)
ERROR_TYPE: Final = Attribute(
    catalogue.ERROR_TYPE.name, catalogue.ERROR_TYPE.description, ("span", "span event", "log record", "event")
)
CLAUDE_ERROR_TYPE: Final = Attribute(
    "claude.error_type",
    "The error type, on spans where the SDK may set a coarser `error.type`.",
    _ON_SPAN,
)
WORKFLOW: Final = _of_label(catalogue.WORKFLOW, _ON_CALL)
COST: Final = Attribute(
    "claude.cost.usd", "Price of the call in US dollars; absent where it is not known.", _ON_CALL, "double"
)
STARTED_AT: Final = Attribute("claude.started_at", "When the call started, as ISO 8601 in UTC.", _ON_LOG)
CALL_DURATION: Final = Attribute(
    "claude.duration", "Seconds from the call's start to its end, retries and the stream included.", _ON_LOG, "double"
)
ATTEMPTS: Final = Attribute("claude.attempts", "Number of HTTP requests of the call.", _ON_LOG, "int")
RETRY_DELAY: Final = Attribute(
    "claude.retry.delay",
    "Seconds slept before the next attempt; on a log record, before all attempts of the call.",
    ("span event", "log record"),
    "double",
)
INPUT_TOKENS: Final = Attribute(
    "gen_ai.usage.input_tokens", "Input tokens, cache reads and writes included.", _ON_ALL, "int"
)
OUTPUT_TOKENS: Final = Attribute("gen_ai.usage.output_tokens", "Output tokens, reasoning included.", _ON_ALL, "int")
CACHE_READ_TOKENS: Final = Attribute(
    "gen_ai.usage.cache_read.input_tokens", "Input tokens read from the prompt cache.", _ON_ALL, "int"
)
CACHE_WRITE_TOKENS: Final = Attribute(
    "gen_ai.usage.cache_write.input_tokens", "Input tokens written to the prompt cache.", _ON_ALL, "int"
)
REASONING_TOKENS: Final = Attribute(
    "gen_ai.usage.reasoning.output_tokens", "Output tokens spent on reasoning.", _ON_ALL, "int"
)
EXTRA_INPUT_TOKENS: Final = Attribute(
    "claude.usage.extra.input_tokens",
    "Input tokens billed beside those of the answer, such as a compaction's or an advisor's; absent without any.",
    _ON_CALL,
    "int",
)
EXTRA_OUTPUT_TOKENS: Final = Attribute(
    "claude.usage.extra.output_tokens",
    "Output tokens billed beside those of the answer; absent without any.",
    _ON_CALL,
    "int",
)
TRACE_ID: Final = Attribute("trace_id", "The trace's id in hexadecimal; in stdlib logging only.", _ON_LOG)
SPAN_ID: Final = Attribute(
    "span_id", "The id of the call's span, or of the span around it, in hexadecimal; in stdlib logging only.", _ON_LOG
)
SYSTEM_INSTRUCTIONS: Final = Attribute(
    "gen_ai.system_instructions", "The system prompt, where its capture is on.", _ON_CONTENT, "structure"
)
INPUT_MESSAGES: Final = Attribute(
    "gen_ai.input.messages", "The messages of the request, where their capture is on.", _ON_CONTENT, "structure"
)
OUTPUT_MESSAGES: Final = Attribute(
    "gen_ai.output.messages", "The model's answer, where its capture is on.", _ON_CONTENT, "structure"
)
CONTENT_TRUNCATED: Final = Attribute(
    "anthropic.content.truncated",
    "True where captured content was cut to its size limit; absent otherwise.",
    _ON_CONTENT,
    "boolean",
)

ATTRIBUTES: Final = (
    OPERATION,
    PROVIDER,
    REQUEST_MODEL,
    RESPONSE_MODEL,
    REQUEST_STREAM,
    CORRELATION_ID,
    SERVER_ADDRESS,
    SERVER_PORT,
    HTTP_METHOD,
    HTTP_STATUS,
    RESEND_COUNT,
    REQUEST_ID,
    STOP_REASON,
    FINISH_REASONS,
    TIME_TO_FIRST_CHUNK,
    OUTCOME,
    ERROR_TYPE,
    CLAUDE_ERROR_TYPE,
    WORKFLOW,
    COST,
    STARTED_AT,
    CALL_DURATION,
    ATTEMPTS,
    RETRY_DELAY,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    CACHE_READ_TOKENS,
    CACHE_WRITE_TOKENS,
    REASONING_TOKENS,
    EXTRA_INPUT_TOKENS,
    EXTRA_OUTPUT_TOKENS,
    TRACE_ID,
    SPAN_ID,
    SYSTEM_INSTRUCTIONS,
    INPUT_MESSAGES,
    OUTPUT_MESSAGES,
    CONTENT_TRUNCATED,
)
"""Every attribute, in the order that the documentation shows it."""

RETRY_EVENT: Final = Event("claude.retry", "An attempt of a call failed, and another follows.", "span event")
CALL_EVENT: Final = Event("claude.call", "A call has ended.", "log record")
CONTENT_EVENT: Final = Event(
    "gen_ai.client.inference.operation.details", "A call whose content is captured has ended.", "event"
)

EVENTS: Final = (RETRY_EVENT, CALL_EVENT, CONTENT_EVENT)
"""Every event, in the order that the documentation shows it."""
