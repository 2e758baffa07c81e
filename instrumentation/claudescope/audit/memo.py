"""Remembers answers that rest on one another: those of a circle are worked out until none of them changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

__all__ = ["Memo"]

T = TypeVar("T")
_ROUNDS = 3  # a circle that builds ever longer values has no end


class Memo:
    """A table of answers, filled on demand, that keeps complete answers only.

    An answer within a circle is provisional. The question that opened the circle is asked again until its answer stays
    the same, and all answers of the circle are complete then.
    So, within the limits of depth and rounds, the answers depend neither on the order of the questions nor on their
    number.

    Args:
        depth: How many questions may be open at once. What lies deeper has the answer with which a circle begins.
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._complete: dict[Hashable, Any] = {}
        self._provisional: dict[Hashable, Any] = {}
        self._open: dict[Hashable, int] = {}  # by how deep each is
        self._round: dict[Hashable, int] = {}  # answered in this round, by the outermost open question that it rests on
        self._circle: list[Hashable] = []
        self._changed: bool = False
        self._outermost = depth + 1

    def ask(self, key: Hashable, work_out: Callable[[], T], nothing: T) -> T:
        """The answer for a key.

        Args:
            key: What is asked.
            work_out: Works the answer out, and may ask on.
            nothing: The answer with which a circle begins.
        """
        if key in self._complete:
            known: T = self._complete[key]
            return known
        outermost = self._open.get(key, self._round.get(key))
        if outermost is not None:
            self._outermost = min(self._outermost, outermost)
            provisional: T = self._provisional.get(key, nothing)
            return provisional
        depth, found = len(self._open), nothing
        if depth > self._depth:
            return nothing
        before, changed, start = self._outermost, self._changed, len(self._circle)
        self._open[key] = depth
        try:
            for left in reversed(range(_ROUNDS)):
                self._outermost, self._changed = self._depth + 1, False
                found = work_out()
                self._changed = self._changed or bool(found != self._provisional.get(key, nothing))
                self._provisional[key] = found
                if self._outermost != depth or not self._changed or not left:
                    break
                self._forget(start)
        except BaseException:
            self._forget(start)
            self._outermost = -1
            raise
        finally:
            del self._open[key]
        if self._outermost < depth and depth:
            self._round[key] = self._outermost
            self._circle.append(key)
            self._changed = self._changed or changed
            self._outermost = min(self._outermost, before)
            return found
        members = [key, *self._circle[start:]]
        self._forget(start)
        for member in members:
            answer = self._provisional.pop(member)
            if self._outermost >= 0 or member is key:
                self._complete[member] = answer
        self._outermost, self._changed = before, changed
        return found

    def _forget(self, start: int) -> None:
        for key in self._circle[start:]:
            self._round.pop(key, None)
        del self._circle[start:]
