"""What a policy says, as the engine reads it: plain data, without pydantic.

Durations are in seconds, ratios are from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from claudescope.resilience.engine.actions import Answer, Timeouts

__all__ = [
    "PRIMARY",
    "AnswerCache",
    "BreakerRule",
    "Budget",
    "CallPolicy",
    "Check",
    "ClientKind",
    "Concurrency",
    "Needs",
    "RetryRule",
    "StreamStrategy",
    "Target",
    "ThrottleKind",
]

PRIMARY: Final = "primary"
"""The target of a policy that names none: the client that the app calls."""

ClientKind = Literal["anthropic", "bedrock", "vertex", "foundry", "aws"]
ThrottleKind = Literal["rate-limit-headers", "adaptive"]
StreamStrategy = Literal["restart", "continue", "partial"]
Check = Literal["roles", "empty", "size", "max_tokens", "window", "retired"]


@dataclass(frozen=True, slots=True)
class RetryRule:
    """How one error type is repeated.

    Attributes:
        retries: How often on one target.
        base: The upper bound of the first wait; it doubles with each retry.
        cap: The longest wait. A `retry-after` above it is not waited for.
        jitter: A random time of up to this is added to a `retry-after`.
        hop: Whether the call goes on to another target or model when it can't be repeated.
        explicit: Whether the policy sets `retries` itself, which then holds beyond `attempts`.
    """

    retries: int
    base: float
    cap: float
    jitter: float
    hop: bool
    explicit: bool = False


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """When the circuit of a target and model opens and closes.

    Attributes:
        failures: Failures in the window that open it; None where only the rate does.
        rate: Ratio of failures in the window that opens it; None where only the count does.
        minimum_calls: Calls in the window below which the rate is not looked at.
        window: Length of the rolling window.
        cooldown: How long it stays open before a probe; up to a quarter is added at random.
        successes: Probes in a row that close it.
        ramp: How long traffic takes to come back in full, where another target can take the rest.
        share: URL of the Redis that shares it between processes; None for this process alone.
    """

    failures: int | None = 5
    rate: float | None = None
    minimum_calls: int = 20
    window: float = 30.0
    cooldown: float = 60.0
    successes: int = 1
    ramp: float = 10.0
    share: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One place that a call can be sent to.

    Attributes:
        name: Its name in the policy.
        client: Which of the SDK's clients sends; None for a gateway that is told by its `base_url`.
        base_url: Where it sends; None for the client's own.
        api_key_env: The environment variable that holds its key; None for the client's own credentials.
        region: The region of a platform; None for the one of the environment.
        project: Vertex' project, or Foundry's resource; None for the one of the environment.
        models: The names that models have there.
    """

    name: str
    client: ClientKind | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    region: str | None = None
    project: str | None = None
    models: Mapping[str, str] = field(default_factory=dict[str, str])

    def model_name(self, model: str) -> str:
        """What `model` is called there."""
        return self.models.get(model, model)


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many calls may be under way at once, for each target and workflow."""

    max: int
    queue_timeout: float = 2.0


@dataclass(frozen=True, slots=True)
class AnswerCache:
    """Answers are kept, prompts and completions with them, and given again to equal requests.

    Attributes:
        ttl: How long.
        share: URL of the Redis that keeps them; None for the memory of this process.
        max_bytes: The most that the memory of this process keeps.
    """

    ttl: float
    share: str | None = None
    max_bytes: int = 64_000_000


@dataclass(frozen=True, slots=True)
class Needs:
    """What calls of a workflow need of a model. A fallback model that lacks it is refused at load.

    Attributes:
        input_tokens: The longest input.
        max_tokens: The longest output.
        features: Such as `tools`, `thinking`, `images`.
    """

    input_tokens: int | None = None
    max_tokens: int | None = None
    features: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Budget:
    """US dollars that a workflow may spend in a day of UTC.

    Attributes:
        workflow: The workflow; None for all calls together.
        usd_per_day: The limit.
        then: What happens above it.
    """

    workflow: str | None
    usd_per_day: Decimal
    then: Literal["warn", "degrade", "block"]


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """What holds for the calls of one workflow.

    Attributes:
        workflow: The workflow; None for calls without one.
        deadline: Seconds for all attempts, waits, hops and the stream; None for no limit.
        retry_budget: Retries per successful call that the process may make in the long run; None for no limit.
        budget_key: The workflow whose budget of retries it is; empty for the one of `defaults`.
        attempts: Attempts on one target, unless the error type's `retries` is set and higher.
        total_attempts: Attempts of a call on all targets and models together.
        max_cost_usd: What a call with all its hops may cost; None for no limit.
        concurrency: How many calls may be under way; None for no limit.
        timeouts: Those of each attempt.
        throttle: How calls are slowed down before they fail.
        error_types: How each error type is repeated.
        breaker: When circuits open; None for no breaker.
        route: The targets in order of preference.
        models: The chain of models; empty for only the one that was asked for.
        stick: How long a conversation stays on the target that it went to, after that the preferred one is well.
        then: What answers when no target does, in order.
        checks: What is checked before a request is sent.
        reformulate: `package.module:name` of the function that rewrites what the content policy refused; None for none.
        needs: What calls need of a model.
        deduplicate: Whether calls with one key share one answer.
        cache: Which answers are kept, and asked for before a target is; None for none.
        stream: What follows where a stream breaks after its first content; None to raise the error.
        continue_on_max_tokens: How often the rest of an answer is asked for that `max_tokens` cut.
    """

    workflow: str | None = None
    deadline: float | None = None
    retry_budget: float | None = None
    budget_key: str = ""
    attempts: int = 3
    total_attempts: int = 8
    max_cost_usd: Decimal | None = None
    concurrency: Concurrency | None = None
    timeouts: Timeouts = Timeouts()  # noqa: RUF009 - it is frozen
    throttle: frozenset[ThrottleKind] = frozenset()
    error_types: Mapping[str, RetryRule] = field(default_factory=dict[str, RetryRule])
    breaker: BreakerRule | None = None
    route: tuple[str, ...] = (PRIMARY,)
    models: tuple[str, ...] = ()
    stick: float = 300.0
    then: tuple[Answer, ...] = ()
    checks: frozenset[Check] = frozenset()
    reformulate: str | None = None
    needs: Needs = Needs()
    deduplicate: bool = False
    cache: AnswerCache | None = None
    stream: StreamStrategy | None = None
    continue_on_max_tokens: int = 0

    def chain(self, model: str | None) -> tuple[str | None, ...]:
        """The models that are tried for a call: the one that it asks for, and those that come after it."""
        if model is None:
            return (None,)
        if model in self.models:
            return self.models[self.models.index(model) :]
        return (model, *self.models)
