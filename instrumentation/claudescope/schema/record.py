"""The facts of one finished call, as the probe hands them to sinks.

A *call* is one invocation of an SDK method, with every retry and the reading of the stream it returns.
An *attempt* is one HTTP request within it. A call ends in exactly one `CallRecord`, however it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple, TypeVar, cast

__all__ = [
    "Attempt",
    "BatchOutcome",
    "BatchResult",
    "BreakerState",
    "CallRecord",
    "CallStart",
    "DegradedBy",
    "Hop",
    "ModelUsage",
    "Outcome",
    "Protection",
    "QueueName",
    "RateLimit",
    "RateLimitType",
    "RejectedReason",
    "SpanOutcome",
    "Transition",
    "Usage",
    "draft_of",
]

_T = TypeVar("_T")

Outcome = Literal["ok", "error", "cancelled", "abandoned"]
"""How a call ended: `cancelled` when the app stopped it, `abandoned` when the app dropped a stream before its end."""

BatchOutcome = Literal["succeeded", "errored", "canceled", "expired"]
"""How a request of a message batch ended, in the API's words."""

RateLimitType = Literal["requests", "tokens", "input_tokens", "output_tokens"]
"""The limit that a rate-limit header describes."""

DegradedBy = Literal["model", "cache", "static", "function", "partial"]
"""What the app got in place of the answer that it asked for.

- `model`: another model's answer.
- `cache`: the answer to an earlier request.
- `static`: a fixed text of the policy.
- `function`: what a function of the app returned.
- `partial`: the part of a stream that came before it broke.
"""

RejectedReason = Literal["circuit_open", "deadline", "queue_timeout", "budget", "throttled", "invalid"]
"""Why a policy sent no request at all."""

BreakerState = Literal["closed", "half_open", "open"]
"""The state of a circuit."""

QueueName = Literal["concurrency", "throttle"]
"""What a call waited for before it was sent."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the API billed, in tokens.

    Attributes:
        input_tokens: All input, cache reads and cache writes included, as the OpenTelemetry GenAI conventions count.
        output_tokens: All output, reasoning included.
        cache_read_tokens: The part of the input that was read from the prompt cache.
        cache_write_5m_tokens: The part of the input written to the cache for five minutes.
        cache_write_1h_tokens: The part of the input written to the cache for one hour.
        reasoning_tokens: The part of the output that was reasoning. 0 where the API does not say.
        server_tools: Uses of server-side tools by name, such as `{"web_search": 2}`.
        service_tier: `standard`, `priority` or `batch` as the API reports it, or None.
        speed: `standard` or `fast` as the API reports it, or None.
        inference_geo: Where the API says that inference ran, such as `us` or `global`, or None.
        iterations: The samplings that the counts above add up, where the API made several and reported each, as in
            a loop of server-side tools. Price tiers hold for each. Empty where there was one, or where the reported
            ones do not add up.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    server_tools: Mapping[str, int] = field(default_factory=dict[str, int])
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None
    iterations: tuple[Usage, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """What the API billed in a call beside the answer's own `Usage`, which does not include it.

    Attributes:
        kind: The API's word for it: `compaction`, or `advisor_message`. Of a policy: `restart` for an answer that broke
            and was started again, `continuation` for one that another answer carries on.
        model: The model that it is billed for; None where neither the API nor the answer named one.
        usage: The tokens.
        cost_usd: Their price in US dollars; None where none is known.
    """

    kind: str
    model: str | None
    usage: Usage
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP request of a call.

    Attributes:
        error_type: Its error type, a name of `ERROR_TYPES`; None where it succeeded.
        status_code: The HTTP status; None where no response came.
        retry_after: Seconds that the server asked to wait; None where it did not say.
        delay: Seconds that the SDK slept before the next attempt; 0 for the last.
        request_id: The API's id of the request; None where no response came.
        target: The target that it was sent to; None without a policy, as are the fields below.
        provider: The platform of the target, a value of `gen_ai.provider.name`.
        model: The model in the request, by the name that the target knows it under.
        server_address: Host name of the target.
    """

    error_type: str | None = None
    status_code: int | None = None
    retry_after: float | None = None
    delay: float = 0.0
    request_id: str | None = None
    target: str | None = None
    provider: str | None = None
    model: str | None = None
    server_address: str | None = None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One rate limit as the last response's headers reported it.

    Attributes:
        limit: What the window allows; None where the header was missing.
        remaining: What remains of it; None where the header was missing.
        reset: When it is full again, as the RFC 3339 timestamp that was sent; None where the header was missing.
    """

    limit: int | None = None
    remaining: int | None = None
    reset: str | None = None


@dataclass(frozen=True, slots=True)
class CallStart:
    """What is known of a call when it starts.

    Attributes:
        operation: The value of `gen_ai.operation.name`, such as `chat`.
        provider: The value of `gen_ai.provider.name`, such as `anthropic` or `aws.bedrock`.
        request_model: The model that was asked for; None for calls without one.
        stream: Whether the app asked for a stream.
        server_address: Host name of the API.
        workflow: The name given by `claudescope.workflow`, None outside of one.
        region: The region of the client, where the platform's prices depend on it: Vertex AI; None elsewhere.
    """

    operation: str
    provider: str
    request_model: str | None
    stream: bool
    server_address: str
    workflow: str | None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Hop:
    """A call went on to another target or model.

    Attributes:
        reason: Why: an error type, or `circuit_open`, `throttled` or `capability`.
        from_target: The target that it left.
        to_target: The target that it went on to.
        model: The model that it asks for there; None where that is the one that the app asked for.
    """

    reason: str
    from_target: str
    to_target: str
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """The circuit of a target and model went to another state.

    Attributes:
        target: The target.
        model: The model; None where the calls of the circuit have none.
        to: The state.
    """

    target: str
    model: str | None
    to: BreakerState


@dataclass(frozen=True, slots=True)
class Protection:
    """What a policy did for one call.

    Attributes:
        started: The call as it started. The record has the provider, host and region of the target that answered.
        target: The target that answered, or that was asked last; None where no request was sent.
        hops: Every change of target or model, in order.
        degraded_by: What the app got in place of the answer that it asked for; None where it got that answer or none.
        rejected: Why no request was sent at all; None where one was.
        queued: Seconds waited before the first request, by what was waited for.
        transitions: Changes of circuits that the call saw, in order.
        retry_budget: Retries that the policy's budget had left when the call needed one; None where it needed none.
    """

    started: CallStart
    target: str | None = None
    hops: tuple[Hop, ...] = ()
    degraded_by: DegradedBy | None = None
    rejected: RejectedReason | None = None
    queued: Mapping[QueueName, float] = field(default_factory=dict[QueueName, float])
    transitions: tuple[Transition, ...] = ()
    retry_budget: float | None = None


class SpanOutcome(NamedTuple):
    """How a call is about to end, for its span. Its record is made when it has ended.

    Attributes:
        outcome: How it ends.
        error_type: The error type; None unless the outcome is `error`.
        finish_reason: Why the model stopped; None where no response said.
        cost_usd: The price of what was billed so far in US dollars; None where none is known.
        workflow: The name given by `claudescope.workflow`, None outside of one.
        extra_usage: What was billed beside the answer's own usage.
        protection: What a policy did for it; None without a policy.
    """

    outcome: Outcome
    error_type: str | None
    finish_reason: str | None
    cost_usd: Decimal | None
    workflow: str | None
    extra_usage: tuple[ModelUsage, ...] = ()
    protection: Protection | None = None


@dataclass(frozen=True, slots=True)
class CallRecord:
    """The facts of one finished call. It holds nothing of a prompt, a completion or a key.

    Attributes:
        operation: The value of `gen_ai.operation.name`, such as `chat`.
        provider: The value of `gen_ai.provider.name`, such as `anthropic` or `aws.bedrock`. Under a policy, that of the
            target that answered, or that was asked last.
        request_model: The model that the app asked for; None for calls without one.
        response_model: The model that answered; None where no response named one.
        stream: Whether the app asked for a stream.
        outcome: How the call ended.
        error_type: The error type, a name of `ERROR_TYPES`; None unless the outcome is `error`.
        status_code: HTTP status of the last attempt; None where no response came.
        request_id: The API's id of the last attempt; None where no response came.
        workflow: The name given by `claudescope.workflow`, None outside of one.
        server_address: Host name of the API. Under a policy, that of the same target as `provider`.
        started_at: When the call started, in UTC.
        duration: Seconds from the call's start to its end, retries and the reading of a stream included.
        time_to_first_chunk: Seconds from the call's start to the first content event of a stream, as the SDK
            received it; None for anything but a stream that had content.
        longest_stall: Seconds of the longest gap between two events of a stream; None below two events.
        stream_seconds: Seconds from the first content event of a stream to the last; None below two.
        attempts: Every HTTP request of the call, in order.
        usage: What the API billed for the answer; None where no response said.
        cost_usd: The price of `usage` and `extra_usage` in US dollars; None where there is no usage, or where a part
            has no known price.
        finish_reason: Why the model stopped, such as `end_turn`; None where no response said.
        rate_limits: The limits that the last response's headers reported, by type.
        trace_id: 32 hexadecimal digits; None outside of a trace.
        span_id: 16 hexadecimal digits of the call's own span, or of the span around it; None outside of a trace.
        extra_usage: What the API billed beside `usage`, such as a compaction or an advisor's answers.
        protection: What a policy did for the call; None without a policy.
    """

    operation: str
    provider: str
    request_model: str | None
    response_model: str | None
    stream: bool
    outcome: Outcome
    error_type: str | None
    status_code: int | None
    request_id: str | None
    workflow: str | None
    server_address: str
    started_at: datetime
    duration: float
    time_to_first_chunk: float | None
    longest_stall: float | None
    stream_seconds: float | None
    attempts: tuple[Attempt, ...]
    usage: Usage | None
    cost_usd: Decimal | None
    finish_reason: str | None
    rate_limits: Mapping[RateLimitType, RateLimit]
    trace_id: str | None
    span_id: str | None
    extra_usage: tuple[ModelUsage, ...] = ()
    protection: Protection | None = None

    @property
    def retries(self) -> int:
        """How many attempts came after the first."""
        return max(len(self.attempts) - 1, 0)


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The facts of one result of a message batch, seen when the app first reads it.

    A result is not a call: the batch made it earlier, and the call only fetched it.

    Attributes:
        provider: The value of `gen_ai.provider.name`.
        model: The model that answered; None where none did.
        outcome: How the request ended.
        error_type: The error type, a name of `ERROR_TYPES`; None unless the outcome is `errored`.
        usage: What the API billed, with the service tier `batch`; None where no answer said.
        cost_usd: The price of `usage` and `extra_usage` in US dollars; None where there is no usage, or where a part
            has no known price.
        finish_reason: Why the model stopped; None where no answer said.
        workflow: The name given by `claudescope.workflow` where the results were fetched, None outside of one.
        server_address: Host name of the API.
        extra_usage: What the API billed beside `usage`, with the service tier `batch`.
    """

    provider: str
    model: str | None
    outcome: BatchOutcome
    error_type: str | None
    usage: Usage | None
    cost_usd: Decimal | None
    finish_reason: str | None
    workflow: str | None
    server_address: str
    extra_usage: tuple[ModelUsage, ...] = ()


def draft_of(frozen: type[_T]) -> type[_T]:
    """Make a class with the same fields as a frozen one, whose instances are faster to make.

    A frozen dataclass sets each field through `object.__setattr__`, which is most of the cost of a record of 24 fields,
    three times for a stream. Make a draft, then set its `__class__` to the frozen class.

    Args:
        frozen: A frozen dataclass with slots, and without bases.
    """
    specs = [
        (entry.name, entry.type, field(default=entry.default, default_factory=entry.default_factory))
        for entry in fields(frozen)  # type: ignore[arg-type] # it is a dataclass
    ]
    made = make_dataclass(f"Draft{frozen.__name__}", specs, slots=True, repr=False, eq=False, match_args=False)
    return cast("type[_T]", made)
