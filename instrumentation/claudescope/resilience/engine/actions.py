"""What the engine and the code that carries it out tell each other.

A driver asks the plan of a call for an *action*, carries it out, and reports a *fact*:

    plan = Plan(policy, request, runtime, on_event)
    while True:
        action = plan.next()
        if isinstance(action, Send):
            ...  # send; then plan.failed(Failed(...)) or plan.succeeded(Succeeded(...))
        elif isinstance(action, Wait):
            ...  # sleep for action.seconds
        elif isinstance(action, Exchange):
            ...  # plan.exchanged(action.run(), or the result of `await action.run_async()`)
        elif isinstance(action, Answer):
            ...  # plan.answered(), or plan.declined() where there is no such answer
        else:
            ...  # Fail: raise

After a `Succeeded` that was not a stream the call is over. A stream reports `stream_opened()` at its first content
event and `stream_ended()` when it ends. `cancelled()` may come at any time, and frees what the call holds at once.
Nothing here imports the SDK.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = [
    "ERROR_TYPE_OF",
    "Action",
    "Answer",
    "AnswerKind",
    "Degraded",
    "DegradedBy",
    "Exchange",
    "Fail",
    "Failed",
    "Hop",
    "Limit",
    "PlanEvent",
    "Queued",
    "Rejected",
    "RejectedReason",
    "RequestFacts",
    "Send",
    "Steps",
    "Succeeded",
    "Timeouts",
    "Transition",
    "Wait",
]

RejectedReason = Literal["circuit_open", "deadline", "queue_timeout", "budget", "throttled", "invalid"]
"""Why a call was not sent at all: the values of `claude.rejected.reason`."""

ERROR_TYPE_OF: Final[dict[RejectedReason, str]] = {
    "circuit_open": "circuit_open_error",
    "deadline": "client_timeout_error",
    "queue_timeout": "pool_timeout_error",
    "budget": "spend_limit_error",
    "throttled": "rate_limit_error",
    "invalid": "invalid_request_error",
}
"""The error type of a call that was not sent, by the reason."""

DegradedBy = Literal["model", "cache", "static", "function", "partial"]
"""How an answer differs from the one that was asked for: the values of `claude.degraded.by`."""

AnswerKind = Literal["cache", "static", "function"]
"""Where an answer comes from that no target gave."""

BreakerState = Literal["closed", "half_open", "open"]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the parts of one attempt may take, in seconds; None for the client's own timeout.

    Attributes:
        connect: To connect, and to get a connection of the pool.
        first_token: From the request to the first content event of a stream. Of a call without a stream: to its answer.
        stall: Between two events of a stream.
        whole: The whole attempt, and so the most for each part. Never longer than what is left of the deadline; None
            for no limit.
    """

    connect: float | None = None
    first_token: float | None = None
    stall: float | None = None
    whole: float | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """One rate limit as the headers of a response report it.

    Attributes:
        limit: What the window allows.
        remaining: What remains of it.
        reset_after: Seconds from the response until it is full again.
    """

    limit: int | None = None
    remaining: int | None = None
    reset_after: float | None = None


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What the plan knows of the app's call.

    Attributes:
        operation: The value of `gen_ai.operation.name`, such as `chat`.
        model: The model that the app asks for; None for calls without one.
        workflow: The name given by `claudescope.workflow`; None outside of one.
        stream: Whether the app asks for a stream.
        max_retries: The app's own `max_retries`, which caps retries; None where the app left the SDK's default.
        timeout: The app's own timeout in seconds, which caps the policy's; None where it left the SDK's default.
        conversation: What is the same in all turns of one conversation, such as a hash of its first message. Such calls
            stick to their target. None where it is not known.
        input_tokens: An estimate of the tokens of the request, for throttling; None where there is none.
        targets: The targets that can serve this kind of call; None for all. Batches and files exist at one only.
        body: The request itself, for `Steps`. The plan doesn't look at it.
    """

    operation: str = "chat"
    model: str | None = None
    workflow: str | None = None
    stream: bool = False
    max_retries: int | None = None
    timeout: float | None = None
    conversation: str | None = None
    input_tokens: int | None = None
    targets: frozenset[str] | None = None
    body: Any = field(default=None, compare=False)


class Steps(Protocol):
    """Knowledge about models that the plan asks for before a hop. Neither may block."""

    def fits(self, request: RequestFacts, model: str) -> tuple[str, ...]:
        """The reasons why `model` can't serve the request; empty where it can."""
        ...

    def price_of(self, request: RequestFacts, model: str) -> Decimal | None:
        """The most that one attempt may cost with `model`, in US dollars; None where no price is known."""
        ...


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request.

    Attributes:
        target: The target's name in the policy.
        model: The model by the name that the app and the policy use; a target may have another name for it.
        timeouts: How long it may take.
        number: The number of this attempt in the call, from 1.
        permit: The breaker's permission. The plan keeps it; drivers need not.
        all_open: Whether every circuit is open, and this target is only the least bad.
    """

    target: str
    model: str | None
    timeouts: Timeouts
    number: int
    permit: object = None
    all_open: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Sleep. It ends before the deadline of the call.

    Attributes:
        seconds: How long.
        why: `backoff`, `retry_after`, `quota` or `throttle`.
    """

    seconds: float
    why: Literal["backoff", "retry_after", "quota", "throttle"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """Tell the shared store what happened, and learn what other processes know. It takes 50 ms at most.

    `plan.exchanged(...)` takes the result of either method. Neither raises.

    Attributes:
        run: Exchanges, blocking this thread.
        run_async: Exchanges without blocking the event loop, on asyncio and trio.
    """

    run: Callable[[], object]
    run_async: Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer without a target.

    Attributes:
        kind: Where the answer comes from.
        value: Of `static`: the text. Of `function`: its `package.module:name`, or `registered`. Of `cache`: the
            greatest age in seconds.
    """

    kind: AnswerKind
    value: Any


@dataclass(frozen=True, slots=True)
class Fail:
    """Raise.

    Attributes:
        reason: Why the call was not sent; None to raise the last real error.
        error_type: The error type, a name of `ERROR_TYPES`.
        detail: What the plan did, in one sentence, for the error's message or a note on it.
        retry_after: Seconds after which another call may succeed; None where that is not known.
    """

    reason: RejectedReason | None
    error_type: str
    detail: str
    retry_after: float | None = None


Action: TypeAlias = Send | Wait | Exchange | Answer | Fail


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt failed.

    Attributes:
        error_type: The error type, a name of `ERROR_TYPES`.
        status: The HTTP status; None where no response came.
        retry_after: Seconds that the server asked to wait; None where it did not say.
        should_retry: What the header `x-should-retry` says; None where it is missing.
        limits: The rate limits of the headers, by type: `requests`, `tokens`, `input_tokens`, `output_tokens`.
        sent: Whether the request, or a part of it, left this process.
        elapsed: Seconds that the attempt took.
        policy_timeout: Whether a timeout of the policy ended it, and not one that the app had set.
        streamed: Whether the app has received content of it, so that it must not be repeated by itself.
        resumable: Whether it may go on all the same, as the policy says how a stream is carried on.
    """

    error_type: str
    status: int | None = None
    retry_after: float | None = None
    should_retry: bool | None = None
    limits: Mapping[str, Limit] = field(default_factory=dict[str, Limit])
    sent: bool = True
    elapsed: float = 0.0
    policy_timeout: bool = False
    streamed: bool = False
    resumable: bool = False


@dataclass(frozen=True, slots=True)
class Succeeded:
    """An attempt got a response with a status below 400.

    Attributes:
        limits: The rate limits of the headers, by type.
        elapsed: Seconds that the attempt took until now.
        stream: Whether the response is a stream, whose verdict comes at its end.
    """

    limits: Mapping[str, Limit] = field(default_factory=dict[str, Limit])
    elapsed: float = 0.0
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Hop:
    """The call goes on to another target or model.

    Attributes:
        reason: An error type, `circuit_open`, `throttled` or `capability`.
        from_target: The target before.
        from_model: The model before.
        to_target: The target after.
        model: The model after.
    """

    reason: str
    from_target: str
    from_model: str | None
    to_target: str
    model: str | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The call was not sent at all."""

    reason: RejectedReason


@dataclass(frozen=True, slots=True)
class Degraded:
    """The app gets an answer, but not the one that it asked for."""

    by: DegradedBy


@dataclass(frozen=True, slots=True)
class Transition:
    """The circuit of a target and model went to another state, as this process sees it."""

    target: str
    model: str | None
    to: BreakerState


@dataclass(frozen=True, slots=True)
class Queued:
    """The call waited before it was sent.

    Attributes:
        kind: What it waited for: the values of `claude.queue`.
        seconds: How long.
    """

    kind: Literal["concurrency", "throttle"]
    seconds: float


PlanEvent: TypeAlias = Hop | Rejected | Degraded | Transition | Queued
