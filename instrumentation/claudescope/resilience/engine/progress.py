"""What has happened in one call so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from claudescope.resilience.engine.candidates import Candidate

__all__ = ["Progress", "least"]


def _candidates() -> set[Candidate]:
    return set()


@dataclass(slots=True)
class Progress:
    """The state of one call.

    Attributes:
        order: Where it may go, in order of preference.
        deadline: When it has to be over; None for no limit.
        gone: Where it does not go again.
        skipped: Why it passed over a target and model the last time.
        sent: Attempts at each target and model.
        total: Attempts in all.
        repeats: Attempts that repeated the one before at the same target and model.
        timeouts: Attempts that ended in a timeout, and may have been billed.
        spent: The most that lost attempts may have cost, in US dollars.
        queued: Seconds that it has waited for quota and throttles.
        alone: Whether the shared store did not answer it.
        forced: Whether it went to a target whose circuit is open, because all are.
        notes: What happened, for the message of its error.
    """

    order: list[Candidate]
    deadline: float | None
    gone: set[Candidate] = field(default_factory=_candidates)
    skipped: dict[Candidate, str] = field(default_factory=dict[Candidate, str])
    sent: Counter[Candidate] = field(default_factory=Counter[Candidate])
    total: int = 0
    repeats: int = 0
    timeouts: int = 0
    spent: Decimal = Decimal(0)
    queued: float = 0.0
    alone: bool = False
    forced: bool = False
    notes: list[str] = field(default_factory=list[str])

    def note(self, text: str) -> None:
        """Remember what happened, once."""
        if text not in self.notes:
            self.notes.append(text)

    def ends_in_time(self, wait: float, now: float) -> bool:
        """Whether a wait ends before the deadline."""
        return self.deadline is None or now + wait < self.deadline

    def leave(self, candidate: Candidate, reason: str, *, whole_target: bool = False) -> None:
        """Don't go there again: to this model of it, or to any."""
        for other in self.order:
            if other == candidate or (whole_target and other.target == candidate.target):
                self.gone.add(other)
                self.skipped[other] = reason


def least(*values: float | None) -> float | None:
    """The least of the values that are known; None where none is."""
    return min((value for value in values if value is not None), default=None)
