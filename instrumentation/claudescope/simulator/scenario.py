"""The model of a scenario file, and the shipped scenarios."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from claudescope._internal.exceptions import BadInputError, did_you_mean
from claudescope._internal.yaml_model import Duration, load_yaml_model

__all__ = [
    "Batches",
    "Cache",
    "InjectedError",
    "InjectedErrorType",
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

InjectedErrorType = Literal[
    # An HTTP error. The names are the values of `error.type` that the response leads to.
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
    # A slow response, or none.
    "slow",
    "hang",
    "connection_reset",
    # A response that breaks while it is sent.
    "malformed_json",
    "stream_error",
    "stream_cut",
    "stream_reset",
    "stall",
    # A response in which the model refuses.
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
"""The statuses of each injected HTTP error. The first is the default."""

STREAM_ERRORS = frozenset({"stream_error", "stream_cut", "stream_reset", "stall"})
"""Errors that are injected only into streams."""

_PARAMETERS = {
    "status": frozenset(STATUSES),
    "retry_after": frozenset(STATUSES),
    "message": frozenset(STATUSES) | {"stream_error"},
    "error_type": frozenset({"stream_error"}),
    "after_events": STREAM_ERRORS,
    "delay": frozenset({"slow", "stall", "hang"}),
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Spread(_Part):
    """A lognormal distribution of times."""

    median: Duration
    sigma: float = Field(default=0.3, ge=0, le=3)
    """Standard deviation of the logarithm. With 0 every value is the median."""


class TokenSpread(_Part):
    """A lognormal distribution of token counts."""

    median: int = Field(gt=0)
    sigma: float = Field(default=0.5, ge=0, le=3)


class Latency(_Part):
    """How fast the model writes."""

    time_to_first_token: Spread = Spread(median=0.4)
    time_per_output_token: Spread = Spread(median=0.012)


class Tokens(_Part):
    """How many tokens the model writes."""

    output: TokenSpread = TokenSpread(median=120)
    thinking: TokenSpread = TokenSpread(median=200)


class Limits(_Part):
    """Rate limits of each model. Windows are fixed, start with the first request, and ignore the time scale."""

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
    """The shortest prefix in tokens that is cached, as in the API."""


class Batches(_Part):
    """Message batches."""

    processing_time: Duration = 2.0


class Match(_Part):
    """The requests that an injected error applies to. An omitted key matches every request."""

    model: str | None = None
    stream: bool | None = None
    path: str | None = None
    """The exact path, such as `/v1/messages/count_tokens`."""
    attempts: int | None = Field(default=None, ge=1)
    """Only this many first attempts of a call, by the SDK's header `x-stainless-retry-count`."""


class InjectedError(_Part):
    """An error that is injected into a share of the matching requests."""

    type: InjectedErrorType
    share: float = Field(default=1.0, ge=0, le=1)
    match: Match = Match()
    status: int | None = Field(default=None, validate_default=True)
    retry_after: Duration | None = None
    """The header `retry-after`, in seconds; ignores the time scale. 0 omits the header."""
    message: str | None = None
    error_type: str | None = None
    """The type in an error event; `overloaded_error` by default."""
    after_events: int | None = Field(default=None, ge=0)
    """How many events a stream sends before the error; by default random for each stream."""
    delay: Duration | None = None
    """The extra delay of `slow`, the pause of `stall` (both 10 s by default), or the limit of `hang` (10 min)."""

    @field_validator(*_PARAMETERS)
    @classmethod
    def _parameter_of_the_type(cls, value: object, info: ValidationInfo) -> object:
        injected = info.data.get("type")
        if value is not None and injected is not None and injected not in _PARAMETERS[str(info.field_name)]:
            raise ValueError(f"an injected {injected!r} has no such parameter")
        return value

    @field_validator("status")
    @classmethod
    def _status_of_the_type(cls, value: int | None, info: ValidationInfo) -> int | None:
        allowed = STATUSES.get(str(info.data.get("type")))
        if value is None:
            return allowed[0] if allowed else None
        if allowed is not None and value not in allowed:
            raise ValueError(f"expected {' or '.join(map(str, allowed))} for {info.data.get('type')!r}")
        return value


def _check_shares(errors: tuple[InjectedError, ...], where: str) -> None:
    for match in (injected.match for injected in errors):
        total = sum(injected.share for injected in errors if injected.match in (match, Match()))
        if total > 1 + 1e-9:
            raise ValueError(f"the shares of {where} that apply to the same request add up to {total:g}, above 1")


class Phase(_Part):
    """Injected errors that apply for some time. The next phase follows."""

    duration: Annotated[Duration, Field(gt=0)] = Field(validation_alias="for")
    errors: tuple[InjectedError, ...] = ()

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Scenario(_Part):
    """How the simulated API behaves.

    All durations are in seconds. The simulator's time scale multiplies latencies, delays, processing times and phases.
    It does not apply to rate limit windows and `retry_after`, as clients act on those by their own clock.
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
    errors: tuple[InjectedError, ...] = ()
    phases: tuple[Phase, ...] = ()
    """Errors in addition to `errors`. Phases follow each other from the moment the scenario is in use."""
    after_phases: Literal["loop", "hold"] = "loop"

    @field_validator("errors")
    @classmethod
    def _shares_fit(cls, errors: tuple[InjectedError, ...]) -> tuple[InjectedError, ...]:
        _check_shares(errors, "the errors")
        return errors

    @field_validator("phases")
    @classmethod
    def _shares_of_phases_fit(cls, phases: tuple[Phase, ...], info: ValidationInfo) -> tuple[Phase, ...]:
        for number, phase in enumerate(phases, start=1):
            _check_shares(info.data.get("errors", ()) + phase.errors, f"the errors of phase {number}")
        return phases

    def errors_at(self, elapsed: float) -> tuple[InjectedError, ...]:
        """The injected errors that apply `elapsed` unscaled seconds after the scenario came into use."""
        if not self.phases:
            return self.errors
        period = sum(phase.duration for phase in self.phases)
        left = elapsed % period if self.after_phases == "loop" else min(elapsed, period)
        for phase in self.phases:
            left -= phase.duration
            if left < 0:
                return self.errors + phase.errors
        return self.errors + self.phases[-1].errors


def shipped_scenarios() -> dict[str, str]:
    """The names of the shipped scenarios, sorted, with their descriptions."""
    return {name: load_scenario(name).description for name in _shipped_names()}


def load_scenario(source: str | Path) -> Scenario:
    """Load a scenario.

    Args:
        source: The name of a shipped scenario, or the path of a YAML file (with a `/`, or ending in `.yaml` or `.yml`).

    Raises:
        BadInputError: There is no such scenario or file, or the file is invalid; the message has file and line.
    """
    if isinstance(source, Path) or "/" in source or source.endswith((".yaml", ".yml")):
        return load_yaml_model(Path(source), Scenario)
    names = _shipped_names()
    if source not in names:
        raise BadInputError(
            f"there is no scenario {source!r}.{did_you_mean(source, names)} The shipped scenarios are "
            f"{', '.join(names)}; for your own scenario give the path of a YAML file"
        )
    with as_file(files("claudescope.simulator") / "scenarios" / f"{source}.yaml") as path:
        return load_yaml_model(path, Scenario)


def _shipped_names() -> list[str]:
    folder = files("claudescope.simulator") / "scenarios"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))
