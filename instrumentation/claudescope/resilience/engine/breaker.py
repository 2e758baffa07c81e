"""The circuit of one target and model: closed, open, half-open, and the ramp after it has closed.

No locks and no clock: `Health` calls it under its lock, and gives the time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from claudescope.resilience.engine.actions import BreakerState
from claudescope.resilience.engine.rules import BreakerRule

__all__ = ["MIN_LEASE", "Circuit", "Epoch", "Permit", "Snapshot", "Verdict", "cooldown_of", "lease_of"]

Verdict = Literal["good", "answered", "bad", "none"]
"""What an attempt says of its target.

- `good`: it succeeded.
- `answered`: the target is there, but it refused the request: an error of the caller, of the account or of the quota.
- `bad`: the provider or the network failed.
- `none`: nothing. It was cancelled, or a timeout that the app had set ended it.
"""

MIN_LEASE: Final = 10.0
"""A probe that has not ended after this many seconds, or the cooldown where that is longer, is given up."""

_BUCKETS: Final = 10
_JITTER: Final = 0.25


class Epoch(NamedTuple):
    """A state of a circuit. Two epochs are equal only where nothing has happened between them.

    Attributes:
        of: Who counts: this process, or the shared store.
        number: Counts the transitions.
    """

    of: Literal["process", "store"]
    number: int


@dataclass(frozen=True, slots=True)
class Permit:
    """The permission to send one attempt.

    Attributes:
        target: The target.
        model: The model.
        epoch: The state of the circuit that it was given in. A result from another epoch is late and doesn't count.
            None where there is no circuit, or where it is open.
        token: The lease of a probe; None for other attempts.
    """

    target: str
    model: str | None
    epoch: Epoch | None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A circuit as the shared store has it. Times are relative, as clocks differ.

    Attributes:
        state: Its state.
        epoch: Counts its transitions.
        blocked_for: Seconds until a probe may be asked for; 0 where it may now.
        closed_for: Seconds since it closed after having been open; None where it never was.
        failures: Failures in the window.
        granted: Whether the probe that was asked for may go.
    """

    state: BreakerState
    epoch: int
    blocked_for: float = 0.0
    closed_for: float | None = None
    failures: int = 0
    granted: bool = False


def cooldown_of(rule: BreakerRule, random: float) -> float:
    """A cooldown with jitter, so that not every process probes at once."""
    return rule.cooldown * (1 + _JITTER * random)


def lease_of(rule: BreakerRule) -> float:
    """How long a probe may take before another may go."""
    return max(rule.cooldown, MIN_LEASE)


class Circuit:
    """One circuit.

    Args:
        random: Returns a number from 0 up to 1.

    Attributes:
        state: Its state, as this process knows it.
        epoch: Differs after each transition.
        until: While open, when a probe may go. While half-open, when the lease of the probe ends.
        closed_at: When it closed after having been open; None where it never was.
        seen_at: When the shared store was last asked about it; None for never.
        failures: Failures in the window that other processes know of too.
        unreported: Successes that the shared store has not been told of.
        trip_unreported: Whether it opened while the shared store was away.
    """

    __slots__ = (
        "_buckets",
        "_failures",
        "_lease",
        "_moves",
        "_random",
        "_successes",
        "closed_at",
        "epoch",
        "failures",
        "seen_at",
        "state",
        "trip_unreported",
        "unreported",
        "until",
    )

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self.state: BreakerState = "closed"
        self._moves = 0
        self.epoch = Epoch("process", 0)
        self.until = 0.0
        self.closed_at: float | None = None
        self.seen_at: float | None = None
        self.failures = 0
        self.unreported = 0
        self.trip_unreported = False
        self._lease: str | None = None
        self._successes = 0
        self._failures: deque[float] = deque()
        self._buckets: deque[list[float]] = deque()  # start, good, bad

    def ready_for_probe(self, now: float) -> bool:
        """Whether it is not closed, and a probe may go."""
        if self.state == "open":
            return now >= self.until
        return self.state == "half_open" and (self._lease is None or now >= self.until)

    def probe(self, rule: BreakerRule, token: str, now: float) -> None:
        """Lend the one probe."""
        if self.state != "half_open":
            self._move("half_open")
            self._successes = 0
        self._lease = token
        self.until = now + lease_of(rule)

    def report(self, rule: BreakerRule, permit: Permit, verdict: Verdict, now: float) -> None:
        """Count the result of an attempt. One from another epoch, or with a lease that has ended, doesn't count."""
        if permit.token is not None:
            if permit.token == self._lease:
                self._report_probe(rule, verdict, now)
        elif permit.epoch == self.epoch and self.state == "closed":
            self._count(rule, verdict, now)

    def trip(self, rule: BreakerRule, now: float) -> None:
        """Open it."""
        self._move("open")
        self.until = now + cooldown_of(rule, self._random())
        self._forget()

    def adopt(self, snapshot: Snapshot, token: str | None, now: float) -> None:
        """Take over what the shared store says.

        Args:
            snapshot: What it says.
            token: The lease that was asked for; None where none was.
            now: The time.
        """
        self.seen_at = now
        self.failures = snapshot.failures
        self.state = snapshot.state
        self.epoch = Epoch("store", snapshot.epoch)
        self.until = now + snapshot.blocked_for
        self.closed_at = None if snapshot.closed_for is None else now - snapshot.closed_for
        # Without a lease of its own it waits for `until`, when the lease of another process ends.
        self._lease = token if snapshot.granted else "of another process" if self.state == "half_open" else None
        self.trip_unreported = False

    def share(self, rule: BreakerRule, now: float) -> float:
        """The share of traffic that it takes, from 0 to 1. It grows after it has closed."""
        if self.state != "closed":
            return 0.0
        if self.closed_at is None or rule.ramp <= 0:
            return 1.0
        return min(1.0, max(0.1, (now - self.closed_at) / rule.ramp))

    def _report_probe(self, rule: BreakerRule, verdict: Verdict, now: float) -> None:
        self._lease = None
        if verdict == "bad":
            self.trip(rule, now)
        elif verdict != "none":
            self._successes += 1
            if self._successes >= rule.successes:
                self._move("closed")
                self.closed_at = now
                self._forget()

    def _count(self, rule: BreakerRule, verdict: Verdict, now: float) -> None:
        if verdict not in {"good", "bad"}:
            return
        bad = verdict == "bad"
        if rule.rate is not None and self._rate_is_reached(rule, bad, now):
            self.trip(rule, now)
        elif bad and rule.failures is not None:
            self._failures.append(now)
            while self._failures[0] <= now - rule.window:
                self._failures.popleft()
            if len(self._failures) >= rule.failures:
                self.trip(rule, now)

    def _rate_is_reached(self, rule: BreakerRule, bad: bool, now: float) -> bool:
        width = rule.window / _BUCKETS
        if not self._buckets or now >= self._buckets[-1][0] + width:
            self._buckets.append([now, 0, 0])
        while self._buckets[0][0] <= now - rule.window:
            self._buckets.popleft()
        self._buckets[-1][2 if bad else 1] += 1
        if not bad or rule.rate is None:
            return False
        failed = sum(bucket[2] for bucket in self._buckets)
        calls = failed + sum(bucket[1] for bucket in self._buckets)
        return calls >= rule.minimum_calls and failed >= rule.rate * calls

    def _move(self, state: BreakerState) -> None:
        self.state = state
        self._moves += 1
        self.epoch = Epoch("process", self._moves)

    def _forget(self) -> None:
        self._lease = None
        self._failures.clear()
        self._buckets.clear()
