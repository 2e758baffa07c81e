"""Reads the facts of a call off what the SDK hands over: parsed models, decoded bodies, events and headers.

Nothing validates a response against its type unless the client is told to, so a field can be missing, of another
type or absurd. What isn't a plausible value is left out, and nothing here reads a prompt or a completion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple, cast

from claudescope.record import RateLimit, RateLimitType, Usage, draft_of

__all__ = ["CONTENT", "HeaderFacts", "MessageFacts", "RateLimits", "field_of", "is_content", "json_of", "read_headers"]

_LIMIT_TYPES: Final[tuple[RateLimitType, ...]] = ("requests", "tokens", "input_tokens", "output_tokens")
_RATE_LIMIT_HEADERS: Final[Mapping[bytes, tuple[RateLimitType, int]]] = {
    f"anthropic-ratelimit-{limit_type.replace('_', '-')}-{part}".encode(): (limit_type, index)
    for limit_type in _LIMIT_TYPES
    for index, part in enumerate(("limit", "remaining", "reset"))
}
_READ_HEADERS: Final = frozenset({*_RATE_LIMIT_HEADERS, b"request-id", b"retry-after", b"retry-after-ms"})
CONTENT: Final = "content_block_delta"
"""The type of the events that carry some of the answer: nearly all of a stream."""
_DraftUsage: Final = draft_of(Usage)
_MAX_NAME: Final = 200
"""Longest model name, request id or finish reason that is taken as one."""


def field_of(source: object, name: str) -> Any:
    """A field of a model or of a decoded body; None where it is missing."""
    if isinstance(source, dict):
        return cast("dict[str, object]", source).get(name)
    return getattr(source, name, None)


def _getter(source: object) -> Callable[[str], Any]:
    """What gives the fields of a model or of a decoded body by name, for who reads many of them."""
    if isinstance(source, dict):
        return cast("dict[str, object]", source).get
    # Of a model that has no fields beyond those that its type knows, they are all in its dict.
    if type(source).__module__.startswith("anthropic.") and not getattr(source, "__pydantic_extra__", None):
        return source.__dict__.get
    return lambda name: getattr(source, name, None)


def is_content(event: object) -> bool:
    """Whether an event of a stream, a model or decoded, only carries some of the answer. Never raises."""
    try:
        return bool(field_of(event, "type") == CONTENT)
    except Exception:  # noqa: BLE001 - a stranger's object
        return False


def _count(value: object) -> int | None:
    """A plausible number of tokens or uses, or None."""
    if value is None:
        return None  # most that a usage could say it does not
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53:
        return value
    return None


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_NAME else None


def _fields(source: object) -> Iterable[tuple[str, object]]:
    """The fields of a model, those its type does not know included, or of a decoded body."""
    if isinstance(source, dict):
        return cast("dict[str, object]", source).items()
    known = cast("dict[str, object]", getattr(source, "__dict__", None) or {})
    extra = cast("dict[str, object]", getattr(source, "__pydantic_extra__", None) or {})
    return (*known.items(), *extra.items())


@dataclass(slots=True)
class MessageFacts:
    """What a Message says of itself, from one body or from the events of a stream.

    The usage of `message_delta` is cumulative: its fields replace those of `message_start`.
    """

    model: str | None = None
    finish_reason: str | None = None
    has_usage: bool = False
    stopped: bool = False
    _uncached: int = 0
    _output: int = 0
    _cache_read: int = 0
    _cache_write: int = 0
    _cache_write_1h: int = 0
    _reasoning: int = 0
    _server_tools: dict[str, int] = field(default_factory=dict[str, int])
    _service_tier: str | None = None
    _speed: str | None = None
    _usage: Usage | None = None

    @property
    def complete(self) -> bool:
        """The model has said why it stopped: an app that leaves the stream now has missed nothing."""
        return self.stopped or self.finish_reason is not None

    def read_message(self, message: object) -> None:
        """Take a whole Message, or the one that `message_start` begins."""
        self.model = _name(field_of(message, "model")) or self.model
        self.finish_reason = _name(field_of(message, "stop_reason")) or self.finish_reason
        self._read_usage(field_of(message, "usage"))

    def read_delta(self, event: object) -> None:
        """Take a `message_delta` event."""
        self.finish_reason = _name(field_of(field_of(event, "delta"), "stop_reason")) or self.finish_reason
        self._read_usage(field_of(event, "usage"))

    def _read_usage(self, usage: object) -> None:
        if usage is None:
            return
        get = _getter(usage)
        uncached = _count(get("input_tokens"))
        output = _count(get("output_tokens"))
        if uncached is None and output is None:
            return
        self.has_usage = True
        self._usage = None
        if uncached is not None:
            self._uncached = uncached
        if output is not None:
            self._output = output
        if (read := _count(get("cache_read_input_tokens"))) is not None:
            self._cache_read = read
        if (written := _count(get("cache_creation_input_tokens"))) is not None:
            self._cache_write = written
        self._read_details(get)

    def _read_details(self, get: Callable[[str], Any]) -> None:
        creation, details = get("cache_creation"), get("output_tokens_details")
        if creation is not None and (one_hour := _count(field_of(creation, "ephemeral_1h_input_tokens"))) is not None:
            self._cache_write_1h = one_hour
        if details is not None and (thinking := _count(field_of(details, "thinking_tokens"))) is not None:
            self._reasoning = thinking
        if (tools := get("server_tool_use")) is not None:
            for name, value in _fields(tools):
                uses = _count(value)
                if uses and name.endswith("_requests"):
                    self._server_tools[name.removesuffix("_requests")] = uses
        if (tier := get("service_tier")) is not None:
            self._service_tier = _name(tier) or self._service_tier
        if (speed := get("speed")) is not None:
            self._speed = _name(speed) or self._speed

    def usage(self) -> Usage | None:
        """What was billed as far as it was said, or None where nothing was: the same object until more is said."""
        if self._usage is None and self.has_usage:
            one_hour = min(self._cache_write_1h, self._cache_write)
            usage = _DraftUsage(
                self._uncached + self._cache_read + self._cache_write,
                self._output,
                self._cache_read,
                self._cache_write - one_hour,
                one_hour,
                self._reasoning,
                dict(self._server_tools),
                self._service_tier,
                self._speed,
            )
            usage.__class__ = Usage
            self._usage = usage
        return self._usage


@lru_cache(maxsize=64)
def _types_of(headers: tuple[bytes, ...]) -> tuple[RateLimitType, ...]:
    """The types that rate-limit headers speak of: as good as always the same ones."""
    return tuple(sorted({_RATE_LIMIT_HEADERS[name][0] for name in headers}))


class RateLimits(Mapping[RateLimitType, RateLimit]):
    """The rate limits of a response, made of its headers only where somebody looks: every call has them, and few look.

    Args:
        headers: The values of the rate-limit headers by their names in lower case.

    Attributes:
        types: The types that they speak of.
    """

    __slots__ = ("_headers", "_limits", "types")

    def __init__(self, headers: dict[bytes, bytes]) -> None:
        self._headers = headers
        self._limits: dict[RateLimitType, RateLimit] | None = None
        self.types = _types_of(tuple(headers))

    def __getitem__(self, limit_type: RateLimitType) -> RateLimit:
        return self._read()[limit_type]

    def __iter__(self) -> Iterator[RateLimitType]:
        return iter(self.types)

    def __len__(self) -> int:
        return len(self.types)

    def __repr__(self) -> str:
        return repr(self._read())

    def _read(self) -> dict[RateLimitType, RateLimit]:
        limits = self._limits
        if limits is None:  # two threads may both make it: it is the same
            limits = self._limits = _limits_of(self._headers)
        return limits


def _limits_of(headers: Mapping[bytes, bytes]) -> dict[RateLimitType, RateLimit]:
    parts: dict[RateLimitType, list[bytes | None]] = {}
    for name, value in headers.items():
        limit_type, part = _RATE_LIMIT_HEADERS[name]
        parts.setdefault(limit_type, [None, None, None])[part] = value
    return {
        limit_type: RateLimit(_whole(limit), _whole(remaining), reset.decode("latin-1")[:40] if reset else None)
        for limit_type, (limit, remaining, reset) in parts.items()
    }


class HeaderFacts(NamedTuple):
    """What the headers of a response say.

    Attributes:
        request_id: The API's id of the request.
        retry_after: What the server asks to wait, in seconds.
        rate_limits: The limits that were reported.
    """

    request_id: str | None
    retry_after: float | None
    rate_limits: Mapping[RateLimitType, RateLimit]


def read_headers(raw: Iterable[tuple[bytes, bytes]]) -> HeaderFacts:
    """Read a response's headers in one pass.

    Args:
        raw: Names and values as `httpx.Headers.raw` has them.
    """
    found = {lower: value for name, value in raw if (lower := name.lower()) in _READ_HEADERS}
    request_id, after = found.pop(b"request-id", None), found.pop(b"retry-after", None)
    after_ms = found.pop(b"retry-after-ms", None)
    retry_after = None if after is None else _seconds(after)
    if after_ms is not None:  # the more exact of the two
        milliseconds = _seconds(after_ms)
        retry_after = retry_after if milliseconds is None else milliseconds / 1000
    return HeaderFacts(
        None if request_id is None else _name(request_id.decode("latin-1")), retry_after, RateLimits(found)
    )


def _whole(value: bytes | None) -> int | None:
    return int(value) if value is not None and value.isdigit() and len(value) < 20 else None


def _seconds(value: bytes) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None  # a date: the SDK understands it, and the delay it slept is recorded anyway
    return seconds if 0 <= seconds < 1e9 else None


def json_of(response: Any) -> object:
    """The decoded body of a response; None where it is broken, which may be why nobody could parse it."""
    try:
        return response.json()
    except ValueError:
        return None
