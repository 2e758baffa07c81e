"""Some days in the life of an app that uses Claude, as records of calls: mostly quiet, then a bad afternoon.

Nothing here sleeps or opens a connection: calls happen at simulated times, chosen by a seeded generator, so that the
same seed gives the same days. In the last hours a batch job meets its rate limits (a *storm*), and later the provider
fails (an *outage*) and comes back (a *recovery*); `PHASES` says when.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from random import Random
from typing import Final

from claudescope.pricing.price_book import PriceBook
from claudescope.schema.record import Attempt, BatchResult, CallRecord, RateLimit, RateLimitType, Usage

__all__ = ["INSTANCES", "PHASES", "Phase", "Workflow", "batch_results", "calls", "phase_at"]

INSTANCES: Final = ("web-1", "web-2", "worker-1")
"""Processes of the app. All share one account, and so its rate limits."""

_HOST: Final = "api.anthropic.com"
_BACKOFF: Final = (0.5, 1.0)
_RETRIED: Final = frozenset(
    {"rate_limit_error", "ramp_limit_error", "overloaded_error", "api_error", "connection_error", "timeout_error"}
)
_STATUS: Final = {
    "rate_limit_error": 429,
    "ramp_limit_error": 429,
    "overloaded_error": 529,
    "api_error": 500,
    "timeout_error": 504,
    "invalid_request_error": 400,
    "stream_interrupted_error": 200,
}
_LIMITS: Final[dict[RateLimitType, int]] = {"requests": 4000, "input_tokens": 2_000_000, "output_tokens": 400_000}
_NONE: Final[dict[RateLimitType, RateLimit]] = {}


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of time in which the API behaves alike.

    Attributes:
        name: What it is called.
        begins: Minutes before the end of the history at which it begins.
        faults: How often one attempt fails, by kind of error, as a share of all.
        slower: Multiplies the time to the first token.
        used: Share of the rate limits that is in use.
        busier: Multiplies how many calls are made, by workflow; 1 where it isn't named.
    """

    name: str
    begins: float
    faults: Mapping[str, float]
    slower: float = 1.0
    used: float = 0.35
    busier: Mapping[str, float] = field(default_factory=dict[str, float])


_EVERYDAY: Final = {
    "rate_limit_error": 0.002,
    "overloaded_error": 0.002,
    "api_error": 0.001,
    "connection_error": 0.0005,
    "client_timeout_error": 0.0002,
    "stream_interrupted_error": 0.0003,
    "invalid_request_error": 0.0008,
}

PHASES: Final = (
    Phase("steady", math.inf, _EVERYDAY),
    Phase(
        "storm",
        150,
        {**_EVERYDAY, "rate_limit_error": 0.22, "ramp_limit_error": 0.04},
        slower=1.15,
        used=0.97,
        busier={"summarise": 3.0},
    ),
    Phase("calm", 122, _EVERYDAY, used=0.45),
    Phase(
        "outage",
        58,
        {**_EVERYDAY, "overloaded_error": 0.42, "api_error": 0.18, "timeout_error": 0.06, "connection_error": 0.05},
        slower=3.0,
        used=0.2,
    ),
    Phase(
        "recovery",
        40,
        {**_EVERYDAY, "overloaded_error": 0.06, "stream_interrupted_error": 0.01},
        slower=1.8,
        used=0.5,
    ),
    Phase("steady again", 24, _EVERYDAY, used=0.4),
)
"""In order; each lasts until the next begins."""


@dataclass(frozen=True, slots=True)
class Workflow:
    """One use that the app makes of Claude.

    Attributes:
        name: The name it works under.
        model: The model that it asks for.
        per_minute: Calls a minute that one instance makes on average.
        stream: Whether it streams.
        input_tokens: Median of its prompts, without what is cached.
        output_tokens: Median of its answers.
        first_token: Median seconds to the first token.
        speed: Median tokens a second.
        cached_tokens: Tokens of the prompt that are in the cache, mostly.
        instances: Where it runs.
        searches: Share of its calls that search the web.
    """

    name: str
    model: str
    per_minute: float
    stream: bool
    input_tokens: int
    output_tokens: int
    first_token: float
    speed: float
    cached_tokens: int = 0
    instances: tuple[str, ...] = INSTANCES
    searches: float = 0.0


WORKFLOWS: Final = (
    Workflow("chat", "claude-sonnet-5-5", 2.2, True, 600, 260, 0.85, 78, 2400, ("web-1", "web-2"), 0.06),
    Workflow("autocomplete", "claude-haiku-5-5", 12, True, 320, 60, 0.28, 165, 0, ("web-1", "web-2")),
    Workflow("classify", "claude-haiku-5-5", 9, False, 240, 12, 0.3, 150),
    Workflow("summarise", "claude-sonnet-5-5", 1.2, False, 2600, 180, 0.7, 95, 1800, ("worker-1",)),
    Workflow("research-agent", "claude-opus-5-5", 0.8, True, 1200, 300, 1.4, 70, 2500, ("worker-1",), 0.4),
)
_NIGHTLY: Final = ("nightly-digest", "claude-haiku-5-5")


def phase_at(minutes_left: float) -> Phase:
    """The phase at a time, given in minutes before the end of the history."""
    return next(phase for phase in reversed(PHASES) if phase.begins >= minutes_left)


def _busyness(at: float) -> float:
    """More in the afternoon than at night, by the hour of the day in UTC."""
    return 1 + 0.55 * math.sin((at / 3600 - 9) / 24 * 2 * math.pi)


def calls(
    random: Random, prices: PriceBook, instance: str, start: float, seconds: float, end: float, share: float = 1.0
) -> Iterator[CallRecord]:
    """The calls that an instance makes in an interval.

    Args:
        random: Chooses everything.
        prices: Gives the costs.
        instance: Which instance.
        start: Begin of the interval, in Unix seconds.
        seconds: Its length.
        end: End of the whole history, in Unix seconds: phases count from there.
        share: Makes a part of the calls only; where every call stands for more than one.
    """
    phase = phase_at((end - start) / 60)
    for workflow in WORKFLOWS:
        if instance not in workflow.instances:
            continue
        expected = workflow.per_minute * seconds / 60 * _busyness(start) * phase.busier.get(workflow.name, 1.0) * share
        for _ in range(_poisson(random, expected)):
            yield _call(random, prices, workflow, phase, start)


def _poisson(random: Random, mean: float) -> int:
    return max(0, round(random.gauss(mean, math.sqrt(mean)))) if mean > 30 else _small_poisson(random, mean)


def _small_poisson(random: Random, mean: float) -> int:
    floor, product, count = math.exp(-mean), random.random(), 0
    while product > floor:
        product *= random.random()
        count += 1
    return count


def _around(random: Random, median: float, sigma: float) -> float:
    return median * math.exp(random.gauss(0, sigma))


def _attempts(random: Random, phase: Phase, stream: bool) -> tuple[Attempt, ...]:
    made: list[Attempt] = []
    while True:
        kind = next(
            iter(random.choices([*phase.faults, None], [*phase.faults.values(), 1 - sum(phase.faults.values())]))
        )
        if kind == "stream_interrupted_error" and not stream:
            kind = None
        delay = 0.0
        if kind in _RETRIED and len(made) < len(_BACKOFF):
            delay = _around(random, _BACKOFF[len(made)] * (4 if kind == "rate_limit_error" else 1), 0.2)
        made.append(Attempt(kind, 200 if kind is None else _STATUS.get(kind), None, delay))
        if not delay:
            return tuple(made)


def _call(random: Random, prices: PriceBook, workflow: Workflow, phase: Phase, at: float) -> CallRecord:
    attempts = _attempts(random, phase, workflow.stream)
    kind = attempts[-1].error_type
    waited = sum(attempt.delay for attempt in attempts)
    first = waited + _around(random, workflow.first_token * phase.slower, 0.45)
    output = max(1, round(_around(random, workflow.output_tokens, 0.6)))
    writing = output / _around(random, workflow.speed / math.sqrt(phase.slower), 0.2)
    cut = kind == "stream_interrupted_error"
    answered = kind is None or cut
    abandoned = answered and not cut and workflow.name == "autocomplete" and random.random() < 0.25
    if cut or abandoned:
        writing *= random.random()
    duration = first + writing if answered else waited + (600.0 if kind == "client_timeout_error" else 0.2)
    usage = _usage(random, workflow, output) if answered else None
    # For a while, one workflow tries a model that no price list knows yet.
    tried = phase.name == "calm" and workflow.name == "classify" and random.random() < 0.02
    model = "claude-preview-6" if tried else workflow.model
    started_at = datetime.fromtimestamp(at, timezone.utc)
    streamed = workflow.stream and answered
    return CallRecord(
        operation="chat",
        provider="anthropic",
        request_model=model,
        response_model=model if answered else None,
        stream=workflow.stream,
        outcome="abandoned" if abandoned else "ok" if kind is None else "error",
        error_type=kind,
        status_code=attempts[-1].status_code,
        request_id=None,
        workflow=workflow.name,
        server_address=_HOST,
        started_at=started_at,
        duration=duration,
        time_to_first_chunk=first if streamed else None,
        longest_stall=_around(random, 0.12 * phase.slower, 0.7) if streamed else None,
        stream_seconds=writing if streamed else None,
        attempts=attempts,
        usage=usage,
        cost_usd=None if usage is None else prices.cost(usage, model=model, provider="anthropic", at=started_at),
        finish_reason=None if cut or abandoned or not answered else _finish_reason(random, workflow),
        rate_limits=_rate_limits(random, phase) if attempts[-1].status_code in {200, 429} else _NONE,
        trace_id=None,
        span_id=None,
    )


def _usage(random: Random, workflow: Workflow, output: int) -> Usage:
    fresh = max(1, round(_around(random, workflow.input_tokens, 0.5)))
    hit = workflow.cached_tokens > 0 and random.random() < 0.88
    hourly = workflow.name == "research-agent"
    written = 0 if hit else workflow.cached_tokens
    return Usage(
        input_tokens=fresh + workflow.cached_tokens,
        output_tokens=output,
        cache_read_tokens=workflow.cached_tokens if hit else 0,
        cache_write_5m_tokens=0 if hourly else written,
        cache_write_1h_tokens=written if hourly else 0,
        reasoning_tokens=round(output * 0.4) if "opus" in workflow.model else 0,
        server_tools={"web_search": 1} if random.random() < workflow.searches else {},
        service_tier="standard",
    )


def _finish_reason(random: Random, workflow: Workflow) -> str:
    if workflow.name == "research-agent":
        return random.choices(("tool_use", "end_turn", "max_tokens"), (0.55, 0.42, 0.03))[0]
    return random.choices(("end_turn", "max_tokens", "refusal"), (0.97, 0.025, 0.005))[0]


def _rate_limits(random: Random, phase: Phase) -> dict[RateLimitType, RateLimit]:
    used = min(1.0, phase.used * random.uniform(0.9, 1.1))
    shares: dict[RateLimitType, float] = {"requests": used * 0.5, "input_tokens": used, "output_tokens": used * 0.7}
    return {name: RateLimit(limit, round(limit * (1 - shares[name])), None) for name, limit in _LIMITS.items()}


def batch_results(random: Random, prices: PriceBook, at: float, count: int) -> Iterator[BatchResult]:
    """The results of a message batch.

    Args:
        random: Chooses everything.
        prices: Gives the costs.
        at: When they are read, in Unix seconds.
        count: How many there are.
    """
    name, model = _NIGHTLY
    for _ in range(count):
        failed = random.random() < 0.02
        usage = None
        if not failed:
            usage = Usage(
                input_tokens=round(_around(random, 3000, 0.4)),
                output_tokens=round(_around(random, 220, 0.4)),
                service_tier="batch",
            )
        cost = None
        if usage is not None:
            moment = datetime.fromtimestamp(at, timezone.utc)
            cost = prices.cost(usage, model=model, provider="anthropic", at=moment)
        yield BatchResult(
            provider="anthropic",
            model=None if failed else model,
            outcome="errored" if failed else "succeeded",
            error_type="api_error" if failed else None,
            usage=usage,
            cost_usd=cost,
            finish_reason=None if failed else "end_turn",
            workflow=name,
            server_address=_HOST,
        )
