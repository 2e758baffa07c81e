"""Reads the facts of a call off what the SDK hands over: parsed models, decoded bodies, events and headers.

Nothing validates a response against its type unless the client is told to, so a field can be missing, of another
type or absurd. What isn't a plausible value is left out, and nothing here reads a prompt or a completion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from claudescope.record import RateLimit, RateLimitType, Usage

__all__ = ["HeaderFacts", "MessageFacts", "field_of", "read_headers"]

_LIMIT_TYPES: Final[tuple[RateLimitType, ...]] = ("requests", "tokens", "input_tokens", "output_tokens")
_RATE_LIMIT_HEADERS: Final[Mapping[bytes, tuple[RateLimitType, int]]] = {
    f"anthropic-ratelimit-{limit_type.replace('_', '-')}-{part}".encode(): (limit_type, index)
    for limit_type in _LIMIT_TYPES
    for index, part in enumerate(("limit", "remaining", "reset"))
}
_MAX_NAME: Final = 200
"""Longest model name, request id or finish reason that is taken as one."""


def field_of(source: object, name: str) -> Any:
    """A field of a model or of a decoded body; None where it is missing."""
    if isinstance(source, dict):
        return cast("dict[str, object]", source).get(name)
    return getattr(source, name, None)


def _count(value: object) -> int | None:
    """A plausible number of tokens or uses, or None."""
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
        uncached = _count(field_of(usage, "input_tokens"))
        output = _count(field_of(usage, "output_tokens"))
        if uncached is None and output is None:
            return
        self.has_usage = True
        if uncached is not None:
            self._uncached = uncached
        if output is not None:
            self._output = output
        if (read := _count(field_of(usage, "cache_read_input_tokens"))) is not None:
            self._cache_read = read
        if (written := _count(field_of(usage, "cache_creation_input_tokens"))) is not None:
            self._cache_write = written
        if (one_hour := _count(field_of(field_of(usage, "cache_creation"), "ephemeral_1h_input_tokens"))) is not None:
            self._cache_write_1h = one_hour
        if (thinking := _count(field_of(field_of(usage, "output_tokens_details"), "thinking_tokens"))) is not None:
            self._reasoning = thinking
        if (tools := field_of(usage, "server_tool_use")) is not None:
            for name, value in _fields(tools):
                uses = _count(value)
                if uses and name.endswith("_requests"):
                    self._server_tools[name.removesuffix("_requests")] = uses
        self._service_tier = _name(field_of(usage, "service_tier")) or self._service_tier
        self._speed = _name(field_of(usage, "speed")) or self._speed

    def usage(self) -> Usage | None:
        """What was billed as far as it was said, or None where nothing was."""
        if not self.has_usage:
            return None
        one_hour = min(self._cache_write_1h, self._cache_write)
        return Usage(
            input_tokens=self._uncached + self._cache_read + self._cache_write,
            output_tokens=self._output,
            cache_read_tokens=self._cache_read,
            cache_write_5m_tokens=self._cache_write - one_hour,
            cache_write_1h_tokens=one_hour,
            reasoning_tokens=self._reasoning,
            server_tools=dict(self._server_tools),
            service_tier=self._service_tier,
            speed=self._speed,
        )


@dataclass(frozen=True, slots=True)
class HeaderFacts:
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
    request_id: str | None = None
    retry_after: float | None = None
    limits: dict[RateLimitType, list[bytes | None]] = {}
    for raw_name, value in raw:
        name = raw_name.lower()
        if (known := _RATE_LIMIT_HEADERS.get(name)) is not None:
            limit_type, part = known
            limits.setdefault(limit_type, [None, None, None])[part] = value
        elif name == b"request-id":
            request_id = _name(value.decode("latin-1"))
        elif name == b"retry-after-ms":
            seconds = _seconds(value)
            retry_after = None if seconds is None else seconds / 1000
        elif name == b"retry-after" and retry_after is None:
            retry_after = _seconds(value)
    return HeaderFacts(
        request_id,
        retry_after,
        {
            limit_type: RateLimit(_whole(limit), _whole(remaining), reset.decode("latin-1")[:40] if reset else None)
            for limit_type, (limit, remaining, reset) in limits.items()
        },
    )


def _whole(value: bytes | None) -> int | None:
    return int(value) if value is not None and value.isdigit() and len(value) < 20 else None


def _seconds(value: bytes) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None  # a date: the SDK understands it, and the delay it slept is recorded anyway
    return seconds if 0 <= seconds < 1e9 else None
