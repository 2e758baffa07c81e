"""What a scenario file may say, and the scenarios that are shipped."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from claudescope._internal.exceptions import BadInputError
from claudescope._internal.yaml_model import Duration, did_you_mean, load_yaml_model

__all__ = [
    "Batches",
    "Cache",
    "Fault",
    "FaultKind",
    "Latency",
    "Limits",
    "Match",
    "Phase",
    "Scenario",
    "Spread",
    "TokenSpread",
    "Tokens",
    "load_scenario",
    "shipped_scenarios",
]

FaultKind = Literal[
    # Answered with an HTTP error. The names are the values of `error.type` that the answer leads to.
    "rate_limit_error",
    "ramp_limit_error",
    "spend_limit_error",
    "overloaded_error",
    "api_error",
    "timeout_error",
    "authentication_error",
    "permission_error",
    "billing_error",
    "not_found_error",
    "request_too_large",
    "invalid_request_error",
    "content_policy_error",
    # Slow, or no answer.
    "slow",
    "hang",
    "connection_reset",
    # An answer that goes wrong on its way.
    "malformed_json",
    "stream_error",
    "stream_cut",
    "stream_reset",
    "stall",
    # A good answer that the model declines to give.
    "refusal",
]

STATUSES: dict[str, tuple[int, ...]] = {
    "rate_limit_error": (429,),
    "ramp_limit_error": (429,),
    "spend_limit_error": (429, 402, 400),
    "overloaded_error": (529,),
    "api_error": (500, 502, 503),
    "timeout_error": (504, 408),
    "authentication_error": (401,),
    "permission_error": (403,),
    "billing_error": (402,),
    "not_found_error": (404,),
    "request_too_large": (413,),
    "invalid_request_error": (400, 409, 422),
    "content_policy_error": (400,),
}
"""The statuses of each fault that answers with an HTTP error. The first is the default."""

STREAM_FAULTS = frozenset({"stream_error", "stream_cut", "stream_reset", "stall"})
"""Faults that only happen to streams."""

_PARAMETERS = {
    "status": frozenset(STATUSES),
    "retry_after": frozenset(STATUSES),
    "message": frozenset(STATUSES) | {"stream_error"},
    "error_type": frozenset({"stream_error"}),
    "after_events": STREAM_FAULTS,
    "delay": frozenset({"slow", "stall", "hang"}),
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Spread(_Part):
    """A lognormal distribution of times."""

    median: Duration
    sigma: float = Field(default=0.3, ge=0, le=3)
    """Standard deviation of the logarithm; 0 makes every value the median."""


class TokenSpread(_Part):
    """A lognormal distribution of token counts."""

    median: int = Field(gt=0)
    sigma: float = Field(default=0.5, ge=0, le=3)


class Latency(_Part):
    """How long the model takes."""

    time_to_first_token: Spread = Spread(median=0.4)
    time_per_output_token: Spread = Spread(median=0.012)


class Tokens(_Part):
    """How much the model writes."""

    output: TokenSpread = TokenSpread(median=120)
    thinking: TokenSpread = TokenSpread(median=200)


class Limits(_Part):
    """What each model accepts in one window. Windows are fixed, start with the first request, and are not scaled."""

    window: Annotated[Duration, Field(gt=0)] = 60.0
    requests: int = Field(default=4000, gt=0)
    input_tokens: int = Field(default=2_000_000, gt=0)
    output_tokens: int = Field(default=400_000, gt=0)

    @property
    def tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens


class Cache(_Part):
    """The prompt cache."""

    min_tokens: int = Field(default=1024, ge=0)
    """A prefix shorter than this is not cached, as in the API."""


class Batches(_Part):
    """Message batches."""

    processing_time: Duration = 2.0


class Match(_Part):
    """Which requests a fault may happen to. What is not said matches all."""

    model: str | None = None
    stream: bool | None = None
    path: str | None = None
    """The exact path, such as `/v1/messages/count_tokens`."""
    attempts: int | None = Field(default=None, ge=1)
    """Only the first so many attempts of a call, by the SDK's `x-stainless-retry-count`."""


class Fault(_Part):
    """A share of the matching requests goes wrong in one way."""

    kind: FaultKind
    share: float = Field(default=1.0, ge=0, le=1)
    match: Match = Match()
    status: int | None = Field(default=None, validate_default=True)
    retry_after: Duration | None = None
    """What the header `retry-after` says, in seconds; not scaled. 0 leaves the header out."""
    message: str | None = None
    error_type: str | None = None
    """The type that an error event carries; `overloaded_error` unless said."""
    after_events: int | None = Field(default=None, ge=0)
    """How many events a stream has sent before the fault; drawn anew for each stream unless said."""
    delay: Duration | None = None
    """The extra wait of `slow` and the gap of a `stall` (10 s unless said), the longest wait of a `hang` (10 min)."""

    @field_validator(*_PARAMETERS)
    @classmethod
    def _belongs_to_the_kind(cls, value: object, info: ValidationInfo) -> object:
        kind = info.data.get("kind")
        if value is not None and kind is not None and kind not in _PARAMETERS[str(info.field_name)]:
            raise ValueError(f"the fault {kind!r} has no such parameter")
        return value

    @field_validator("status")
    @classmethod
    def _status_of_the_kind(cls, value: int | None, info: ValidationInfo) -> int | None:
        allowed = STATUSES.get(str(info.data.get("kind")))
        if value is None:
            return allowed[0] if allowed else None
        if allowed is not None and value not in allowed:
            raise ValueError(f"expected {' or '.join(map(str, allowed))} for {info.data.get('kind')!r}")
        return value


def _check_shares(faults: tuple[Fault, ...], where: str) -> None:
    for match in (fault.match for fault in faults):
        total = sum(fault.share for fault in faults if fault.match in (match, Match()))
        if total > 1 + 1e-9:
            raise ValueError(f"the shares of {where} that can happen to one request add up to {total:g}, over 1")


class Phase(_Part):
    """Faults that hold for a while, after which the next phase begins."""

    duration: Annotated[Duration, Field(gt=0)] = Field(validation_alias="for")
    faults: tuple[Fault, ...] = ()

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Scenario(_Part):
    """What the API is like.

    All durations are in seconds. Latencies, delays, processing times and phases are multiplied by the simulator's time
    scale; rate limit windows and `retry_after` are not, as clients act on those by their own clock.
    """

    name: str = Field(min_length=1)
    description: str = Field(min_length=1)
    latency: Latency = Latency()
    tokens: Tokens = Tokens()
    limits: Limits = Limits()
    cache: Cache = Cache()
    batches: Batches = Batches()
    models: tuple[str, ...] = Field(
        default=("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-4-8", "claude-haiku-4-5"),
        min_length=1,
    )
    faults: tuple[Fault, ...] = ()
    phases: tuple[Phase, ...] = ()
    """Faults on top of `faults`, one phase after the other since the scenario came into use."""
    after_phases: Literal["loop", "hold"] = "loop"

    @field_validator("faults")
    @classmethod
    def _shares_fit(cls, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
        _check_shares(faults, "the faults")
        return faults

    @field_validator("phases")
    @classmethod
    def _shares_of_phases_fit(cls, phases: tuple[Phase, ...], info: ValidationInfo) -> tuple[Phase, ...]:
        for number, phase in enumerate(phases, start=1):
            _check_shares(info.data.get("faults", ()) + phase.faults, f"the faults of phase {number}")
        return phases

    def faults_at(self, elapsed: float) -> tuple[Fault, ...]:
        """The faults that hold `elapsed` unscaled seconds after the scenario came into use."""
        if not self.phases:
            return self.faults
        period = sum(phase.duration for phase in self.phases)
        left = elapsed % period if self.after_phases == "loop" else min(elapsed, period)
        for phase in self.phases:
            left -= phase.duration
            if left < 0:
                return self.faults + phase.faults
        return self.faults + self.phases[-1].faults


def shipped_scenarios() -> dict[str, str]:
    """The names of the shipped scenarios, sorted, with their descriptions."""
    return {name: load_scenario(name).description for name in _shipped_names()}


def load_scenario(source: str | Path) -> Scenario:
    """Load a scenario.

    Args:
        source: The name of a shipped scenario, or the path of a YAML file (with a `/`, or ending in `.yaml` or `.yml`).

    Raises:
        BadInputError: There is no such scenario or file, or the file is wrong; the message has file and line.
    """
    if isinstance(source, Path) or "/" in source or source.endswith((".yaml", ".yml")):
        return load_yaml_model(Path(source), Scenario)
    names = _shipped_names()
    if source not in names:
        raise BadInputError(
            f"there is no scenario {source!r}.{did_you_mean(source, names)} The shipped scenarios are "
            f"{', '.join(names)}; a scenario of your own is the path of a YAML file"
        )
    with as_file(files("claudescope.simulator") / "scenarios" / f"{source}.yaml") as path:
        return load_yaml_model(path, Scenario)


def _shipped_names() -> list[str]:
    folder = files("claudescope.simulator") / "scenarios"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))
