"""Reads the facts of a call from the headers of a response."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple

from claudescope.probe.response import name_of
from claudescope.schema.record import RateLimit, RateLimitType

__all__ = ["NO_HEADERS", "HeaderFacts", "RateLimits", "read_headers"]

_LIMIT_TYPES: Final[tuple[RateLimitType, ...]] = ("requests", "tokens", "input_tokens", "output_tokens")
_RATE_LIMIT_HEADERS: Final[Mapping[bytes, tuple[RateLimitType, int]]] = {
    f"anthropic-ratelimit-{limit_type.replace('_', '-')}-{part}".encode(): (limit_type, index)
    for limit_type in _LIMIT_TYPES
    for index, part in enumerate(("limit", "remaining", "reset"))
}


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
        None if request_id is None else name_of(values[request_id].decode("latin-1")),
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
