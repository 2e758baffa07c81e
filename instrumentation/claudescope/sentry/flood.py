"""Keeps a storm of one kind of failure from filling Sentry's inbox, and its transport's queue of 100."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from claudescope._internal.counters import DROPPED_SENTRY_EVENTS
from claudescope._internal.fork import renew_in_child
from claudescope.schema.error_types import ERROR_TYPES

__all__ = ["FloodControl"]

KINDS_AT_ONCE: Final = 5
"""How many kinds may send their whole burst at once. With the default burst of 10 that is half of the queue."""


class _Bucket:
    """Tokens that are spent one by one and come back with time."""

    __slots__ = ("_at", "_capacity", "_per_second", "tokens")

    def __init__(self, capacity: float, per_second: float, now: float) -> None:
        self._capacity = self.tokens = capacity
        self._per_second = per_second
        self._at = now

    def refill(self, now: float) -> None:
        self.tokens = min(self._capacity, self.tokens + max(0.0, now - self._at) * self._per_second)
        self._at = now


class FloodControl:
    """A token bucket per kind of error and one for all kinds together. Thread-safe.

    Args:
        burst: Events of a kind that are let through at once; None lets all through.
        per_minute: Events of a kind that are let through per minute after that.
        clock: Seconds that never go back.
    """

    def __init__(self, burst: int | None, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._per_second = per_minute / 60
        self._clock = clock
        self._lock = threading.Lock()
        renew_in_child(self, "_lock")
        self._kinds: dict[str, _Bucket] = {}
        self._all = self._bucket(KINDS_AT_ONCE)
        self._waiting: dict[str, int] = {}
        DROPPED_SENTRY_EVENTS.expect(ERROR_TYPES)

    def _bucket(self, times: int) -> _Bucket:
        return _Bucket(times * (self._burst or 0), times * self._per_second, self._clock())

    def admit(self, kind: str) -> int | None:
        """Ask to send an event.

        Args:
            kind: The kind of error.

        Returns:
            How many events of the kind were held back since the last one that was sent; None where this one is to be
            held back too. It is counted then.
        """
        if self._burst is None:
            return 0
        with self._lock:
            now = self._clock()
            bucket = self._kinds.setdefault(kind, self._bucket(1))
            for one in (bucket, self._all):
                one.refill(now)
            if bucket.tokens >= 1 and self._all.tokens >= 1:
                bucket.tokens -= 1
                self._all.tokens -= 1
                return self._waiting.pop(kind, 0)
            self._waiting[kind] = self._waiting.get(kind, 0) + 1
        DROPPED_SENTRY_EVENTS.add(kind)
        return None
