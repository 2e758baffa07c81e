"""Throttles that act before the API refuses: by the rate limits of its headers, and by how much it accepts."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from claudescope._internal.fork import renew_in_child
from claudescope.resilience.engine.actions import Limit

__all__ = ["AdaptiveThrottle", "HeaderThrottle"]

_MAX_ENTRIES: Final = 1000
_WINDOW: Final = 120.0
_BUCKETS: Final = 12
_MULTIPLIER: Final = 2.0


@dataclass(slots=True)
class _Level:
    """One limit: a bucket that fills continuously, as the API's do."""

    left: float
    size: float
    rate: float
    at: float

    def now(self, now: float) -> float:
        return min(self.size, self.left + self.rate * max(0.0, now - self.at))


class HeaderThrottle:
    """Slows calls down before the 429 comes, by what the headers of the last responses say. Thread-safe and bounded."""

    def __init__(self) -> None:
        self._levels: OrderedDict[tuple[str, str | None], dict[str, _Level]] = OrderedDict()
        self._lock = threading.RLock()
        renew_in_child(self, "_lock")

    def observe(self, target: str, model: str | None, limits: Mapping[str, Limit], now: float) -> None:
        """Take over what a response says. Headers without all three values are ignored."""
        if not limits:
            return
        levels: dict[str, _Level] = {}
        for kind, limit in limits.items():
            if limit.limit and limit.remaining is not None and limit.reset_after is not None:
                missing = max(0, limit.limit - limit.remaining)
                rate = missing / limit.reset_after if missing and limit.reset_after > 0 else limit.limit / 60
                levels[kind] = _Level(limit.remaining, limit.limit, rate, now)
        if levels:
            with self._lock:
                self._levels.setdefault((target, model), {}).update(levels)
                self._levels.move_to_end((target, model))
                if len(self._levels) > _MAX_ENTRIES:
                    self._levels.popitem(last=False)

    def delay(self, target: str, model: str | None, input_tokens: int | None, now: float) -> float:
        """Seconds until every limit has room for one more request; 0 where there is room now."""
        with self._lock:
            longest = 0.0
            for kind, level in self._levels.get((target, model), {}).items():
                need = min(_need(kind, input_tokens), level.size)
                missing = need - level.now(now)
                if missing > 0 and level.rate > 0:
                    longest = max(longest, missing / level.rate)
            return longest

    def take(self, target: str, model: str | None, input_tokens: int | None, now: float) -> None:
        """Count a request that is about to be sent, until headers say more."""
        with self._lock:
            for kind, level in self._levels.get((target, model), {}).items():
                level.left = max(0.0, level.now(now) - _need(kind, input_tokens))
                level.at = now


def _need(kind: str, input_tokens: int | None) -> float:
    if kind == "requests" or input_tokens is None or kind == "output_tokens":
        return 1.0
    return float(input_tokens)


class AdaptiveThrottle:
    """Rejects locally what a target would reject, with probability (requests - 2 * accepts) / (requests + 1).

    Both are of the last two minutes. Thread-safe and bounded.
    """

    def __init__(self) -> None:
        self._windows: OrderedDict[tuple[str, str | None], deque[list[float]]] = OrderedDict()
        self._lock = threading.RLock()
        renew_in_child(self, "_lock")

    def rejects(self, target: str, model: str | None, random: float, now: float) -> bool:
        """Decide about one request. A rejected one counts as a request, too, as the caller wanted it."""
        with self._lock:
            window = self._current(target, model, now)
            requests = sum(bucket[1] for bucket in window)
            accepts = sum(bucket[2] for bucket in window)
            rejected = random < max(0.0, (requests - _MULTIPLIER * accepts) / (requests + 1))
            if rejected:
                window[-1][1] += 1
            return rejected

    def count(self, target: str, model: str | None, *, accepted: bool, now: float) -> None:
        """Count a request that was sent."""
        with self._lock:
            bucket = self._current(target, model, now)[-1]
            bucket[1] += 1
            bucket[2] += accepted

    def _current(self, target: str, model: str | None, now: float) -> deque[list[float]]:
        window = self._windows.setdefault((target, model), deque())
        if not window or now >= window[-1][0] + _WINDOW / _BUCKETS:
            window.append([now, 0, 0])
        while window[0][0] <= now - _WINDOW:
            window.popleft()
        if len(self._windows) > _MAX_ENTRIES:
            self._windows.popitem(last=False)
        return window
