"""Quota: a 429 holds a target, a model and a limit back until the limit is reset."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final, NamedTuple

from claudescope._internal.fork import renew_in_child

__all__ = ["ACCOUNT", "UNNAMED", "Hold", "Quota"]

UNNAMED: Final = "quota"
"""The limit of a 429 whose headers name none."""

ACCOUNT: Final = "account"
"""What an account's own error holds, such as a spend limit. It only makes calls prefer another target."""

_MAX_HOLDS: Final = 1000


class Hold(NamedTuple):
    """What holds a target and model back.

    Attributes:
        until: When it ends.
        limit: The limit.
    """

    until: float
    limit: str


class Quota:
    """Holds by target, model and limit. Thread-safe and bounded."""

    def __init__(self) -> None:
        self._holds: dict[tuple[str, str | None, str], float] = {}
        self._lock = threading.RLock()
        renew_in_child(self, "_lock")

    def hold(self, target: str, model: str | None, limits: Iterable[str], until: float, now: float) -> None:
        """Hold limits back. A hold is never shortened."""
        with self._lock:
            for limit in limits:
                key = (target, model, limit)
                self._holds[key] = max(until, self._holds.get(key, until))
            if len(self._holds) > _MAX_HOLDS:
                left = sorted(((end, key) for key, end in self._holds.items() if end > now), key=lambda item: item[0])
                self._holds = {key: end for end, key in left[-_MAX_HOLDS // 2 :]}

    def held(self, target: str, model: str | None, now: float) -> Hold | None:
        """The hold that ends last; None where nothing holds it."""
        if not self._holds:
            return None
        with self._lock:
            found: Hold | None = None
            for key, until in list(self._holds.items()):
                if key[:2] == (target, model):
                    if until <= now:
                        del self._holds[key]
                    elif found is None or until > found.until:
                        found = Hold(until, key[2])
            return found
