"""The sections of a policy file that hold for calls, and the types of their values."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from claudescope._internal.exceptions import did_you_mean
from claudescope._internal.file_model import Duration, FileModel, ratio_of
from claudescope.resilience.engine.rules import Check, StreamStrategy, ThrottleKind
from claudescope.schema.error_types import ErrorTypeName

__all__ = [
    "Breaker",
    "CacheSection",
    "CallSection",
    "ConcurrencySection",
    "ErrorRule",
    "Feature",
    "Model",
    "NeedsSection",
    "Percentage",
    "PositiveDuration",
    "RedisUrl",
    "Then",
    "TimeoutsSection",
    "Whole",
    "redacted",
]

_REDIS_SCHEMES: Final = ("redis", "rediss", "unix")
_REDIS_OPTIONS: Final = frozenset({"db", "username", "password", "protocol", "ssl_cert_reqs", "ssl_ca_certs"})


def _percentage(value: object) -> float:
    ratio = ratio_of(value)
    if ratio is None or not 0 <= ratio <= 1:
        raise ValueError("expected a percentage such as '10%', or a ratio from 0 to 1 such as 0.1")
    return float(ratio)


def _money(value: object) -> Decimal:
    amount = None if isinstance(value, str) and value.strip().endswith("%") else ratio_of(value)
    if amount is None or amount <= 0:
        raise ValueError("expected an amount of US dollars above 0, such as 0.50")
    return amount


def redacted(url: str) -> str:
    """A URL without its user, password and options, for messages."""
    try:
        parts = urlsplit(url)
        host = f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        return "the URL"
    return urlunsplit((parts.scheme, host, parts.path, "", "")) or "the URL"


def _redis_url(value: object) -> str:
    """Check a URL by hand: redis-py takes many wrong ones, and fails when it connects."""
    problem = _problem_of_redis_url(value.strip()) if isinstance(value, str) else "it isn't a text"
    if problem is not None:
        raise PydanticCustomError(
            "secret", "expected the URL of a Redis, such as redis://localhost:6379/0: {problem}", {"problem": problem}
        )
    return str(value).strip()


def _problem_of_redis_url(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "its port isn't a number from 0 to 65535"
    database = parts.path.strip("/")
    unknown = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True) if name not in _REDIS_OPTIONS]
    is_socket = parts.scheme == "unix"
    problems = (
        (not parts.scheme or "://" not in url, "it has no scheme. Put redis:// before it"),
        (
            parts.scheme not in _REDIS_SCHEMES,
            f"the scheme {parts.scheme!r} is unknown.{did_you_mean(parts.scheme, _REDIS_SCHEMES)}",
        ),
        (re.search(r"\s", url) is not None, "it has a space in it"),
        (is_socket and not database, "the path of the socket is missing"),
        (not is_socket and not parts.hostname, "the host is missing"),
        (port == 0, "the port 0 is no port to connect to"),
        (not is_socket and database and not database.isdigit(), f"the database {database!r} isn't a number"),
        (
            bool(unknown),
            f"the option {''.join(unknown[:1])!r} is unknown. Known options: {', '.join(sorted(_REDIS_OPTIONS))}",
        ),
        (bool(parts.fragment), "what follows # is no part of it. Write # in a password as %23"),
    )
    return next((problem for is_there, problem in problems if is_there), None)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, (str, dict)) else value


Feature = Literal[
    "tools", "forced_tools", "thinking", "images", "documents", "structured", "prefill", "system_messages"
]
"""What a request may use that some models refuse."""

_FUNCTION: Final = r"^[A-Za-z_][\w]*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$"

Percentage = Annotated[float, BeforeValidator(_percentage, json_schema_input_type=str | float)]
"""A percentage such as `10%`, or the ratio 0.1."""

PositiveDuration = Annotated[Duration, Field(gt=0, allow_inf_nan=False)]
"""A duration above 0."""

AnyDuration = Annotated[Duration, Field(ge=0, allow_inf_nan=False)]
"""A duration, which may be 0."""

Money = Annotated[Decimal, BeforeValidator(_money, json_schema_input_type=float | int | str)]
"""US dollars, above 0."""

Whole = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
"""A whole number of at least 1."""

Model = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\S+$")]
"""The name of a model."""

Function = Annotated[str, Field(pattern=_FUNCTION)]
"""A function as `package.module:name`."""

RedisUrl = Annotated[str, BeforeValidator(_redis_url)]
"""The URL of a Redis."""


class ErrorRule(FileModel):
    """How one error type is repeated."""

    retries: Annotated[int, Field(strict=True, ge=0, le=20)] | None = None
    """Retries on one target and model. Where it is set, it also holds beyond `attempts`. Default: by the error type."""

    base: AnyDuration | None = None
    """Upper bound of the first wait; it doubles with each retry, and the wait is random below it. Default: by the error
    type."""

    cap: PositiveDuration | None = None
    """Longest wait. Where a server asks for more by `retry-after`, the call goes to the next target or fails at once.
    Default: by the error type."""

    jitter: AnyDuration | None = None
    """Random time of up to this that is added to a `retry-after`. Default: 500ms."""

    hop: bool | None = None
    """Whether the call may go on to another target or model. Default: unless the error is the caller's own."""

    @model_validator(mode="after")
    def _in_order(self) -> ErrorRule:
        if self.base is not None and self.cap is not None and self.base > self.cap:
            raise ValueError(f"base ({self.base:g}s) is above cap ({self.cap:g}s). Lower base or raise cap")
        return self


class Breaker(FileModel):
    """When the circuit of a target and model opens, and how it closes again."""

    failures: Whole | None = None
    """Failures within `window` that open it. Default: none where `rate` is set, else 5."""

    rate: Annotated[Percentage, Field(gt=0)] | None = None
    """Ratio of failures within `window` that opens it. Default: none."""

    minimum_calls: Whole = 10
    """Attempts within `window` below which `rate` is not looked at. Default: 10."""

    window: PositiveDuration = Field(default=30.0, json_schema_extra={"default": "30s"})
    """Length of the rolling window. Default: 30s."""

    cooldown: PositiveDuration = Field(default=60.0, json_schema_extra={"default": "60s"})
    """How long it stays open before one call probes the target; up to a quarter is added at random. Default: 60s."""

    successes: Whole = 1
    """Successful probes in a row that close it. Default: 1."""

    ramp: AnyDuration = Field(default=10.0, json_schema_extra={"default": "10s"})
    """How long traffic takes to come back in full, where another target can take the rest. Default: 10s."""

    share: RedisUrl | None = None
    """URL of the Redis that shares circuits between processes, such as `redis://localhost/0`. Default: none, each
    process has its own."""


class ConcurrencySection(FileModel):
    """How many calls may be under way at once."""

    max: Whole
    """Calls under way for each target and workflow, in this process. Required."""

    queue_timeout: AnyDuration = Field(default=2.0, json_schema_extra={"default": "2s"})
    """Longest wait for a place. Default: 2s."""


class TimeoutsSection(FileModel):
    """How long the parts of one attempt may take."""

    connect: PositiveDuration | None = None
    """To connect, and to get a connection from the pool. Default: the client's own."""

    first_token: PositiveDuration | None = None
    """From the request to the first content event of a stream, or to the answer. Default: the client's own."""

    stall: PositiveDuration | None = None
    """Between two events of a stream. Default: the client's own."""

    whole: PositiveDuration | None = None
    """The whole attempt. Default: what is left of `deadline`."""


class CacheSection(FileModel):
    """Keeps answers, prompts and completions included, and gives them again to equal requests."""

    ttl: PositiveDuration
    """How long an answer is kept. Required."""

    share: RedisUrl | None = None
    """URL of the Redis that keeps answers, such as `redis://localhost/1`. Default: the memory of this process."""

    max_bytes: Whole = Field(default=64_000_000, le=10_000_000_000)
    """The most that is kept in memory, in bytes. Default: 64000000."""


class NeedsSection(FileModel):
    """What the calls of a workflow need of a model. A fallback model that lacks it is refused when the file is read."""

    input_tokens: Whole | None = Field(default=None, le=100_000_000)
    """Longest input in tokens. Default: none."""

    max_tokens: Whole | None = Field(default=None, le=100_000_000)
    """Longest output in tokens. Default: none."""

    features: Annotated[list[Feature], BeforeValidator(_listed, json_schema_input_type=list[Feature] | Feature)] = (
        Field(default=[])
    )
    """What the requests use. Default: nothing."""


class Then(FileModel):
    """What answers when no target does. Exactly one key."""

    static: str | None = None
    """A text. Default: none."""

    function: Literal["registered"] | Function | None = None
    """A function as `package.module:name`, or `registered` for the one that `@claudescope.fallback` registers for the
    workflow. Default: none."""

    cache: PositiveDuration | None = None
    """The last answer to an equal request, if it is not older. Default: none."""

    @model_validator(mode="after")
    def _one(self) -> Then:
        if len(self.model_fields_set) != 1 or None in self.model_dump(exclude_unset=True).values():
            raise ValueError("expected exactly one of the keys static, function, cache")
        return self


class CallSection(FileModel):
    """What holds for calls: under `defaults` for all, under `workflows` for those of one workflow."""

    deadline: PositiveDuration | None = Field(default=None, json_schema_extra={"default": "10m"})
    """For all attempts, waits and hops of a call, and its stream; `null` for none. Default: 10m."""

    retry_budget: Percentage | None = Field(default=None, json_schema_extra={"default": "10%"})
    """Retries per successful call that a process makes in the long run; `null` for no limit. Default: 10%."""

    attempts: Annotated[Whole, Field(le=20)] = 3
    """Attempts on one target and model, unless `retries` of the error type is set. Default: 3."""

    total_attempts: Annotated[Whole, Field(le=100)] = 8
    """Attempts of a call on all targets and models together. Default: 8."""

    max_cost_usd: Money | None = None
    """What a call with all its hops may cost in US dollars. A hop is priced before it is taken. Default: no limit."""

    concurrency: ConcurrencySection | None = None
    """How many calls may be under way at once. Default: no limit."""

    timeouts: TimeoutsSection = TimeoutsSection()
    """How long the parts of one attempt may take. Default: the client's own timeouts."""

    throttle: Annotated[
        list[ThrottleKind], BeforeValidator(_listed, json_schema_input_type=list[ThrottleKind] | ThrottleKind)
    ] = Field(default=[], json_schema_extra={"default": ["rate-limit-headers"]})
    """`rate-limit-headers`: slow down before the 429, by what the headers say. `adaptive`: reject locally what the
    target would reject. `[]` for none. Default: rate-limit-headers."""

    error_types: dict[ErrorTypeName, ErrorRule] = Field(default={})
    """How error types are repeated. Default: by the table of error types."""

    route: (
        Annotated[list[str], Field(min_length=1), BeforeValidator(_listed, json_schema_input_type=list[str] | str)]
        | None
    ) = None
    """Targets in order of preference. Default: all targets, in the order of the file."""

    models: Annotated[list[Model], BeforeValidator(_listed, json_schema_input_type=list[Model] | Model)] = Field(
        default=[]
    )
    """Chain of models: a call whose model is in it falls back to those after it, any other to all. Default: no
    fallback."""

    stick: AnyDuration = Field(default=300.0, json_schema_extra={"default": "5m"})
    """How long a conversation stays on the target that it went to, as its prompt cache is there. Default: 5m."""

    then: Annotated[list[Then], BeforeValidator(_listed, json_schema_input_type=list[Then] | Then)] = Field(default=[])
    """What answers when no target does, in order. Default: nothing, the error is raised."""

    checks: list[Check] | Literal["all"] = Field(default=[], alias="validate")
    """What is checked before a request is sent: `all`, or a list. Default: nothing."""

    reformulate: Function | None = None
    """Function as `package.module:name` that rewrites what the content policy refused. Default: none."""

    needs: NeedsSection = NeedsSection()
    """What calls need of a model. Default: nothing that is known."""

    deduplicate: bool = False
    """Whether calls under way with one key share one answer. Default: false."""

    stream: StreamStrategy | None = None
    """What follows where a stream breaks after its first content. `restart`: the SDK's stream helpers get an event that
    says to start again, and the whole answer. `continue`: the rest is asked for, and goes on in the same stream.
    `partial`: the stream ends as if the answer was whole, and is marked as truncated. Before the first content, a
    stream is always started again. Default: the error is raised."""

    continue_on_max_tokens: Annotated[int, Field(strict=True, ge=0, le=20)] = 0
    """How often the rest of an answer is asked for that `max_tokens` has cut. The answers become one. Default: 0."""

    cache: CacheSection | None = None
    """Answers that are kept, prompts and completions included. Default: none are."""

    @field_validator("route", "models")
    @classmethod
    def _no_loop(cls, names: list[str] | None) -> list[str] | None:
        for name in names or ():
            if (names or []).count(name) > 1:
                raise ValueError(f"it comes back to {name!r}: a loop. List each name once")
        return names

    @model_validator(mode="after")
    def _timeouts_fit(self) -> CallSection:
        if self.deadline is None:
            return self
        for name in ("connect", "first_token", "stall", "whole"):
            value: float | None = getattr(self.timeouts, name)
            if value is not None and value > self.deadline:
                raise ValueError(f"timeouts.{name} ({value:g}s) is above deadline ({self.deadline:g}s). Lower it")
        return self
