"""Counts of what happens in this process outside of any call, for the metrics of the catalogue."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Final

from claudescope._internal.fork import renew_in_child

__all__ = ["DROPPED_SENTRY_EVENTS", "INTERNAL_ERRORS", "Counter"]


class Counter:
    """Counts by the value of one label. Thread-safe."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()
        renew_in_child(self, "_lock")

    def expect(self, values: Iterable[str]) -> None:
        """Start the counts of `values` at 0, so that `increase()` sees the first one that is counted."""
        with self._lock:
            for value in values:
                self._counts.setdefault(value, 0)

    def add(self, value: str) -> int:
        """Count one more of `value`, and return how many there are now. Never raises."""
        with self._lock:
            count = self._counts[value] = self._counts.get(value, 0) + 1
            return count

    def counts(self) -> Mapping[str, int]:
        """How many of each value this process has counted."""
        with self._lock:
            return dict(self._counts)


INTERNAL_ERRORS: Final = Counter()
"""Internal errors, by the component that failed. `internal_errors.record` adds to it."""

DROPPED_SENTRY_EVENTS: Final = Counter()
"""Sentry events that rate limiting dropped, by error type; empty where Sentry support is off."""
