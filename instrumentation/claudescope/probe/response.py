"""Reads the facts of a call from parsed models, decoded bodies, events and headers.

The SDK validates a response against its type only on request, so a field can be missing, or have another type or an
absurd value. Implausible values are ignored. Nothing here reads a prompt or a completion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

from claudescope.schema.record import RateLimit, RateLimitType, Usage, draft_of

__all__ = [
    "CONTENT",
    "NO_HEADERS",
    "HeaderFacts",
    "MessageFacts",
    "RateLimits",
    "field_of",
    "is_content",
    "is_success",
    "json_of",
    "read_headers",
]

_LIMIT_TYPES: Final[tuple[RateLimitType, ...]] = ("requests", "tokens", "input_tokens", "output_tokens")
_RATE_LIMIT_HEADERS: Final[Mapping[bytes, tuple[RateLimitType, int]]] = {
    f"anthropic-ratelimit-{limit_type.replace('_', '-')}-{part}".encode(): (limit_type, index)
    for limit_type in _LIMIT_TYPES
    for index, part in enumerate(("limit", "remaining", "reset"))
}
CONTENT: Final = "content_block_delta"
"""The type of the events that carry a piece of the answer: nearly all events of a stream."""
_COUNTS: Final = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_ABSURD: Final = 1 << 53
_NO_TOOLS: Final[Mapping[str, int]] = MappingProxyType({})
_DraftUsage: Final = draft_of(Usage)
_MAX_NAME: Final = 200
"""Longest model name, request id or finish reason that is accepted, in characters."""


def field_of(source: object, name: str) -> Any:
    """A field of a model or of a decoded body; None where it is missing."""
    if isinstance(source, dict):
        return cast("dict[str, object]", source).get(name)
    return getattr(source, name, None)


@lru_cache(maxsize=256)
def _is_sdk_model(source_class: type[Any]) -> bool:
    return source_class.__module__.startswith("anthropic.")


def _getter(source: object) -> Callable[[str], Any]:
    """A function that returns the fields of a model or of a decoded body by name, faster than `field_of`."""
    if isinstance(source, dict):
        return cast("dict[str, object]", source).get
    if _is_sdk_model(type(source)):  # type: ignore[arg-type] # a class is hashable; mypy looks at its instances
        # pydantic keeps fields that the model's type does not know elsewhere, and reading them one by one is slow.
        extra = cast("dict[str, object] | None", getattr(source, "__pydantic_extra__", None))
        return ({**extra, **source.__dict__} if extra else source.__dict__).get
    return lambda name: getattr(source, name, None)


def is_content(event: object) -> bool:
    """Whether an event of a stream, a model or decoded, carries only a piece of the answer. Never raises."""
    try:
        return bool(field_of(event, "type") == CONTENT)
    except Exception:  # noqa: BLE001 - it may be any object
        return False


def _count(value: object) -> int | None:
    """A plausible number of tokens or uses, or None."""
    if value is None:
        return None  # the usual case
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _ABSURD:
        return value
    return None


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_NAME else None


def _fields(source: object) -> Iterable[tuple[str, object]]:
    """The fields of a model, including those that its type does not know, or of a decoded body."""
    if isinstance(source, dict):
        return cast("dict[str, object]", source).items()
    known = cast("dict[str, object]", getattr(source, "__dict__", None) or {})
    extra = cast("dict[str, object]", getattr(source, "__pydantic_extra__", None) or {})
    return (*known.items(), *extra.items())


class MessageFacts:
    """The facts of a Message, from one body or from the events of a stream.

    The usage of `message_delta` is cumulative: its fields replace those of `message_start`.

    Attributes:
        model: The model that answered; None until it is known.
        finish_reason: Why it stopped; None until it is known.
        stopped: Whether the last event of a stream has arrived.
    """

    # On the class, as most stay as they are: every call has one of these.
    model: str | None = None
    finish_reason: str | None = None
    stopped: bool = False
    _cache_write_1h: int = 0
    _reasoning: int = 0
    _server_tools: Mapping[str, int] = _NO_TOOLS
    _service_tier: str | None = None
    _speed: str | None = None
    _usage: Usage | None = None

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    @property
    def complete(self) -> bool:
        """Whether the answer is complete: an app that closes the stream now misses nothing."""
        return self.stopped or self.finish_reason is not None

    def read_message(self, message: object) -> None:
        """Take a whole Message, or the one that `message_start` begins."""
        get = _getter(message)
        self.model = _name(get("model")) or self.model
        self.finish_reason = _name(get("stop_reason")) or self.finish_reason
        self._read_usage(get("usage"))

    def read_delta(self, event: object) -> None:
        """Take a `message_delta` event."""
        self.finish_reason = _name(field_of(field_of(event, "delta"), "stop_reason")) or self.finish_reason
        self._read_usage(field_of(event, "usage"))

    def _read_usage(self, usage: object) -> None:
        if usage is None:
            return
        get, counts = _getter(usage), self._counts
        for name in _COUNTS:
            value = get(name)
            if value.__class__ is int and 0 <= value < _ABSURD:  # like `_count`, without a call for each
                counts[name] = value
        self._usage = None
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
                    self._server_tools = {**self._server_tools, name.removesuffix("_requests"): uses}
        if (tier := get("service_tier")) is not None:
            self._service_tier = _name(tier) or self._service_tier
        if (speed := get("speed")) is not None:
            self._speed = _name(speed) or self._speed

    def usage(self) -> Usage | None:
        """What was billed so far; None where nothing is known. Returns the same object until more is known."""
        usage, counts = self._usage, self._counts
        if usage is not None or not ("input_tokens" in counts or "output_tokens" in counts):
            return usage
        count = counts.get
        read, written = count("cache_read_input_tokens", 0), count("cache_creation_input_tokens", 0)
        one_hour = min(self._cache_write_1h, written)
        usage = _DraftUsage(
            count("input_tokens", 0) + read + written,
            count("output_tokens", 0),
            read,
            written - one_hour,
            one_hour,
            self._reasoning,
            dict(self._server_tools),
            self._service_tier,
            self._speed,
        )
        usage.__class__ = Usage
        self._usage = usage
        return usage


class RateLimits(Mapping[RateLimitType, RateLimit]):
    """The rate limits of a response, parsed when they are first read: every response has them, and few are read.

    Args:
        headers: The rate-limit headers of the response.
        values: Their values, in the order of `headers.meanings`; further values are ignored.

    Attributes:
        types: The types of limits that the headers describe.
    """

    __slots__ = ("_headers", "_limits", "_values", "types")

    def __init__(self, headers: _LimitHeaders, values: tuple[bytes, ...]) -> None:
        self._headers = headers
        self._values = values
        self._limits: dict[RateLimitType, RateLimit] | None = None
        self.types = headers.types

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
        if limits is None:  # two threads may both parse it, with the same result
            limits = self._limits = _limits_of(self._headers, self._values)
        return limits


def _limits_of(headers: _LimitHeaders, values: tuple[bytes, ...]) -> dict[RateLimitType, RateLimit]:
    parts: dict[RateLimitType, list[bytes | None]] = {}
    for (limit_type, part), value in zip(headers.meanings, values, strict=False):
        parts.setdefault(limit_type, [None, None, None])[part] = value
    return {
        limit_type: RateLimit(_whole(limit), _whole(remaining), reset.decode("latin-1")[:40] if reset else None)
        for limit_type, (limit, remaining, reset) in parts.items()
    }


class _LimitHeaders(NamedTuple):
    """Which rate-limit headers a response has.

    Attributes:
        meanings: For each header, its limit, and whether it is the size (0), what remains (1) or the reset (2).
        types: The limits that the headers describe.
        pick: Takes their values from those of all headers, and the first value twice.
    """

    meanings: tuple[tuple[RateLimitType, int], ...]
    types: tuple[RateLimitType, ...]
    pick: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]


class _Places(NamedTuple):
    """The positions of the headers that are read; None for a header that the response does not have."""

    request_id: int | None
    retry_after: int | None
    retry_after_ms: int | None
    limits: _LimitHeaders | None


@lru_cache(maxsize=64)
def _places_of(names: tuple[bytes, ...]) -> _Places:
    """Find the headers that are read. Cached, as an API sends the same header names nearly always."""
    # Where a name occurs twice, the last one counts.
    places = {name.lower(): place for place, name in enumerate(names)}
    limits = [(meaning, places[name]) for name, meaning in _RATE_LIMIT_HEADERS.items() if name in places]
    return _Places(
        places.get(b"request-id"),
        places.get(b"retry-after"),
        places.get(b"retry-after-ms"),
        _LimitHeaders(
            tuple(meaning for meaning, _ in limits),
            tuple(sorted({limit_type for (limit_type, _), _ in limits})),
            # The first one twice, as `itemgetter` returns no tuple for a single position.
            itemgetter(*(place for _, place in limits), limits[0][1]),
        )
        if limits
        else None,
    )


class HeaderFacts(NamedTuple):
    """What the headers of a response say.

    Attributes:
        request_id: The API's id of the request.
        retry_after: Seconds that the server asks to wait.
        rate_limits: The limits that the headers report; None where there are none.
    """

    request_id: str | None
    retry_after: float | None
    rate_limits: RateLimits | None


NO_HEADERS: Final = HeaderFacts(None, None, None)
"""The facts of a response without headers."""


def read_headers(raw: Sequence[tuple[bytes, bytes]]) -> HeaderFacts:
    """Read a response's headers.

    Args:
        raw: Names and values as `httpx.Headers.raw` has them.
    """
    if not raw:
        return NO_HEADERS
    names, values = zip(*raw)  # noqa: B905 - all are pairs
    request_id, after, after_ms, limits = _places_of(names)
    return HeaderFacts(
        None if request_id is None else _name(values[request_id].decode("latin-1")),
        None if after is after_ms is None else _retry_after(values, after, after_ms),
        None if limits is None else RateLimits(limits, limits.pick(values)),
    )


def _retry_after(values: tuple[bytes, ...], after: int | None, after_ms: int | None) -> float | None:
    milliseconds = None if after_ms is None else _seconds(values[after_ms])
    if milliseconds is not None:  # the more precise of the two
        return milliseconds / 1000
    return None if after is None else _seconds(values[after])


def _whole(value: bytes | None) -> int | None:
    return int(value) if value is not None and value.isdigit() and len(value) < 20 else None


def _seconds(value: bytes) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None  # a date: the SDK understands it, and the delay is recorded in any case
    return seconds if 0 <= seconds < 1e9 else None


def json_of(response: Any) -> object:
    """The decoded body of a response; None where it is not valid JSON."""
    try:
        return response.json()
    except ValueError:
        return None


def is_success(response: Any) -> bool:
    """Whether a response has a status of success. Faster than httpx' own property."""
    status: int = response.status_code
    return 200 <= status < 300
