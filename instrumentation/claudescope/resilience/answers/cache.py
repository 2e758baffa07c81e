"""Keeps answers for a while, to give them again to equal requests. **It stores content**: whole answers of the model.

They are kept in the memory of the process, or in Redis, under a hash of the request. Policies ask for it; without one
nothing is kept. Requests with tools, and answers that are cut off or refused, are never kept.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from claudescope._internal import internal_errors
from claudescope._internal.exceptions import require
from claudescope._internal.fork import renew_in_child
from claudescope._internal.json_values import is_object
from claudescope.resilience.answers.messages import is_final
from claudescope.resilience.body import digest

if TYPE_CHECKING:
    from claudescope.resilience.stores.worker import RedisWorker

__all__ = ["MemoryAnswers", "RedisAnswers", "key_of", "value_of"]

_PREFIX: Final = "claudescope:1:answer"
_LARGEST: Final = 1_000_000
_SIDE_EFFECTS: Final = ("tools", "mcp_servers", "container")
_WITHOUT: Final = frozenset({"stream"})

_logger = logging.getLogger("claudescope.resilience")


@dataclass(frozen=True, slots=True)
class _Kept:
    value: bytes
    at: float
    ttl: float


def key_of(body: Mapping[str, Any], scope: str) -> str | None:
    """The key of a request whose answer may be kept; None for one with tools, or without a canonical form.

    Args:
        body: The request. That it asks for a stream makes no difference.
        scope: The account and the place that it is sent to: what one tenant got is not for another.
    """
    if any(body.get(name) for name in _SIDE_EFFECTS):
        return None
    return digest(body, scope=scope, without=_WITHOUT)


def value_of(message: Mapping[str, Any]) -> bytes | None:
    """An answer as it is kept; None for one that is not worth keeping."""
    if not is_final(message):
        return None
    try:
        value = json.dumps(message, separators=(",", ":")).encode()
    except (TypeError, ValueError):
        return None
    return value if len(value) <= _LARGEST else None


def _message(value: bytes) -> dict[str, Any] | None:
    message = json.loads(value)
    return message if is_object(message) else None


def _until(_key: str, kept: _Kept, now: float) -> float:
    return now + kept.ttl


def _size(kept: _Kept) -> int:
    return len(kept.value)


class MemoryAnswers:
    """Answers in the memory of this process: at most a number of bytes, the least recently used go first.

    Args:
        max_bytes: How many bytes of answers are kept.
        clock: Seconds, monotonic.

    Raises:
        MissingExtraError: The package `cachetools` is missing.
    """

    def __init__(self, max_bytes: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        library = require("cachetools", extra="resilience", feature="the answer cache")
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: Any = library.TLRUCache(max_bytes, ttu=_until, timer=clock, getsizeof=_size)
        renew_in_child(self, "_lock")
        _logger.info("claudescope keeps answers of the model in memory, up to %d bytes.", max_bytes)

    def get(self, key: str, max_age: float) -> dict[str, Any] | None:
        """An answer that is not older than `max_age` seconds."""
        with self._lock:
            kept = self._kept.get(key)
        if kept is None or self._clock() - kept.at > max_age:
            return None
        return _message(kept.value)

    async def get_async(self, key: str, max_age: float) -> dict[str, Any] | None:
        """As `get`."""
        return self.get(key, max_age)

    def put(self, key: str, value: bytes, ttl: float) -> None:
        """Keep an answer for `ttl` seconds. Never blocks."""
        with self._lock:
            if len(value) <= self._kept.maxsize:
                self._kept[key] = _Kept(value, self._clock(), ttl)


class RedisAnswers:
    """Answers in Redis. While it is away, there are none.

    Args:
        worker: Talks to it.
        url: Its URL, for a line in the log.
        now: Seconds since 1970.
    """

    def __init__(self, worker: RedisWorker, url: str, *, now: Callable[[], float] = time.time) -> None:
        self._worker = worker
        self._now = now
        place = urlsplit(url)
        _logger.info("claudescope keeps answers of the model in Redis at %s:%s.", place.hostname, place.port or 6379)

    def get(self, key: str, max_age: float) -> dict[str, Any] | None:
        """An answer that is not older than `max_age` seconds; None where there is none, or Redis is away."""
        if not self._worker.available():
            return None
        return self._read(self._worker.run(lambda client: client.get(f"{_PREFIX}:{key}")), max_age)

    async def get_async(self, key: str, max_age: float) -> dict[str, Any] | None:
        """As `get`, without blocking the event loop."""
        if not self._worker.available():
            return None
        return self._read(await self._worker.run_async(lambda client: client.get(f"{_PREFIX}:{key}")), max_age)

    def _read(self, found: object, max_age: float) -> dict[str, Any] | None:
        if not isinstance(found, bytes):
            return None
        try:
            at, _, value = found.partition(b"\n")
            return _message(value) if self._now() - float(at) <= max_age else None
        except ValueError:  # something else is under the key
            internal_errors.record("answer_cache")
            return None

    def put(self, key: str, value: bytes, ttl: float) -> None:
        """Keep an answer for `ttl` seconds, in the background. Never blocks."""
        if self._worker.available():
            entry = f"{self._now():.3f}\n".encode() + value
            self._worker.tell(lambda client: client.set(f"{_PREFIX}:{key}", entry, px=max(int(ttl * 1000), 1)))
