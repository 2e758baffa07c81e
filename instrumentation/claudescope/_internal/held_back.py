"""Counts the Sentry events that flood control held back, by kind of error, for the metric of the catalogue."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Mapping

from claudescope._internal.fork import renew_in_child

__all__ = ["count", "counts", "expect"]

_counts: dict[str, int] = {}
_lock = threading.Lock()
renew_in_child(sys.modules[__name__], "_lock")


def expect(kinds: Iterable[str]) -> None:
    """Have the counts of `kinds` begin at 0, so that their first increase is one."""
    with _lock:
        for kind in kinds:
            _counts.setdefault(kind, 0)


def count(kind: str) -> None:
    """One more event of `kind` was held back. Never raises."""
    with _lock:
        _counts[kind] = _counts.get(kind, 0) + 1


def counts() -> Mapping[str, int]:
    """How many events of each kind were held back in this process; empty where Sentry support is off."""
    with _lock:
        return dict(_counts)
