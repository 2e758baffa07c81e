"""Which target a conversation is at: prompt caches are kept per target, so that it should stay there for a while."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final, NamedTuple

from claudescope._internal.fork import renew_in_child

__all__ = ["Affinity", "Place"]

_MAX_CONVERSATIONS: Final = 10_000


class Place(NamedTuple):
    """Where a conversation is.

    Attributes:
        target: The target.
        since: When it came there.
    """

    target: str
    since: float


class Affinity:
    """The places of conversations that are not at their preferred target. Thread-safe; the oldest are forgotten."""

    def __init__(self) -> None:
        self._places: OrderedDict[str, Place] = OrderedDict()
        self._lock = threading.RLock()
        renew_in_child(self, "_lock")

    def place_of(self, conversation: str) -> Place | None:
        """Where it is; None where it is at its preferred target, or not known."""
        return self._places.get(conversation)

    def moved(self, conversation: str, target: str, *, preferred: bool, now: float) -> None:
        """Note where a call of it succeeded."""
        if preferred and conversation not in self._places:
            return
        with self._lock:
            if preferred:
                self._places.pop(conversation, None)
                return
            place = self._places.get(conversation)
            if place is None or place.target != target:
                self._places[conversation] = Place(target, now)
            self._places.move_to_end(conversation)
            if len(self._places) > _MAX_CONVERSATIONS:
                self._places.popitem(last=False)
