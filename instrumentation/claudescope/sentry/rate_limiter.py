"""Limits the rate of events per error type, so that an error burst does not fill the queue of Sentry's transport."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from claudescope._internal.counters import DROPPED_SENTRY_EVENTS
from claudescope._internal.fork import renew_in_child
from claudescope.schema.error_types import ERROR_TYPES

__all__ = ["RateLimiter"]

ERROR_TYPES_AT_ONCE: Final = 5
"""How many error types may send a full burst at once. With the default burst of 10 that is half of the queue of 100."""

MAX_BUCKETS: Final = 200
"""Buckets at a time. Beyond it, groups with other errors share one for each error type."""


class _Bucket:
    """A token bucket."""

    __slots__ = ("_at", "_capacity", "_per_second", "tokens")

    def __init__(self, capacity: float, per_second: float, now: float) -> None:
        self._capacity = self.tokens = capacity
        self._per_second = per_second
        self._at = now

    def refill(self, now: float) -> None:
        self.tokens = min(self._capacity, self.tokens + max(0.0, now - self._at) * self._per_second)
        self._at = now


class RateLimiter:
    """A token bucket per error type, and one for all error types together. Thread-safe.

    Args:
        burst: Most events of an error type that are sent at once; None for no limit.
        per_minute: Events of an error type that are sent per minute after the burst.
        clock: Monotonic clock, in seconds.
    """

    def __init__(self, burst: int | None, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._per_second = per_minute / 60
        self._clock = clock
        # Reentrant: a finalizer that runs in between may log, and so report an event.
        self._lock = threading.RLock()
        renew_in_child(self, "_lock")
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._all = self._bucket(ERROR_TYPES_AT_ONCE)
        self._dropped: dict[str, int] = {}
        DROPPED_SENTRY_EVENTS.expect(ERROR_TYPES)

    def _bucket(self, times: int) -> _Bucket:
        return _Bucket(times * (self._burst or 0), times * self._per_second, self._clock())

    def admit(self, error_type: str, others: str = "") -> int | None:
        """Decide whether an event may be sent. An event that may not is counted as dropped.

        Args:
            error_type: The name of the error type.
            others: What else the event is about. Such events have a limit of their own, and the same limit together.

        Returns:
            How many events of the error type were dropped since the last one that was sent; None to drop this one.
        """
        if self._burst is None:
            return 0
        with self._lock:
            now = self._clock()
            bucket = self._bucket_of(error_type, others)
            for one in (bucket, self._all):
                one.refill(now)
            if bucket.tokens >= 1 and self._all.tokens >= 1:
                bucket.tokens -= 1
                self._all.tokens -= 1
                return self._dropped.pop(error_type, 0)
            self._dropped[error_type] = self._dropped.get(error_type, 0) + 1
        DROPPED_SENTRY_EVENTS.add(error_type)
        return None

    def take_back(self, error_type: str, others: str, events_dropped: int) -> None:
        """Undo `admit` for an event that something else has dropped.

        Args:
            error_type: As for `admit`.
            others: As for `admit`.
            events_dropped: What `admit` returned. The next event reports it.
        """
        if self._burst is None:
            return
        with self._lock:
            for one in (self._bucket_of(error_type, others), self._all):
                one.tokens += 1  # more than the capacity is lost at the next refill
            if events_dropped:
                self._dropped[error_type] = self._dropped.get(error_type, 0) + events_dropped

    def _bucket_of(self, error_type: str, others: str) -> _Bucket:
        key = (error_type, others)
        if key not in self._buckets and len(self._buckets) >= MAX_BUCKETS:
            key = (error_type, "…")
        return self._buckets.setdefault(key, self._bucket(1))
