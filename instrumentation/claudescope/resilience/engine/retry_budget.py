"""The retry budget: a token bucket, so that retries stay a small part of the traffic when everything fails."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from claudescope._internal.fork import renew_in_child

__all__ = ["RetryBudget", "RetryBudgets"]

CAPACITY: Final = 10.0
"""Retries that a process may make before any call has succeeded."""

_PARTS: Final = 1_000_000
_FULL: Final = round(CAPACITY * _PARTS)
_MAX_BUDGETS: Final = 1000


class RetryBudget:
    """A token bucket. It starts full; a success adds `ratio` tokens, and a retry takes one, or two after a timeout.

    Thread-safe. It never holds less than nothing.

    Args:
        ratio: Retries per successful call in the long run.
    """

    def __init__(self, ratio: float) -> None:
        # In millionths, as ten times 0.1 has to make 1.
        self._earned = round(ratio * _PARTS)
        self._parts = _FULL
        self._lock = threading.RLock()
        renew_in_child(self, "_lock")

    @property
    def remaining(self) -> float:
        """Tokens that are left."""
        return self._parts / _PARTS

    def take(self, tokens: float) -> bool:
        """Take tokens for a retry. Takes none, and returns False, where fewer are left."""
        with self._lock:
            parts = round(tokens * _PARTS)
            if self._parts < parts:
                return False
            self._parts -= parts
            return True

    def put(self) -> None:
        """Count a successful call."""
        with self._lock:
            self._parts = min(_FULL, self._parts + self._earned)


class RetryBudgets:
    """The retry budgets of this process: one for `defaults`, and one for each workflow that sets its own."""

    def __init__(self) -> None:
        self._budgets: OrderedDict[tuple[str, float], RetryBudget] = OrderedDict()
        self._lock = threading.RLock()
        renew_in_child(self, "_lock")

    def of(self, key: str, ratio: float) -> RetryBudget:
        """The budget under `key`, made when it is first asked for."""
        with self._lock:
            budget = self._budgets.get((key, ratio))
            if budget is None:
                budget = self._budgets[key, ratio] = RetryBudget(ratio)
                if len(self._budgets) > _MAX_BUDGETS:
                    self._budgets.popitem(last=False)
            return budget

    @property
    def remaining(self) -> float | None:
        """The tokens of the emptiest budget; None where none was used yet."""
        with self._lock:
            return min((budget.remaining for budget in self._budgets.values()), default=None)
