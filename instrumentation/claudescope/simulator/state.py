"""What a running simulator knows. Only the server's event loop touches it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone

from claudescope.simulator.batches import Batches
from claudescope.simulator.ledger import Bookkeeper, Ledger
from claudescope.simulator.limits import RateLimits
from claudescope.simulator.prompts import PromptCache
from claudescope.simulator.randomness import DiceBox
from claudescope.simulator.scenario import Fault, Scenario

__all__ = ["World"]


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class World:
    """The scenario in use and all state that answers depend on.

    Args:
        scenario: The scenario to start with.
        seed: Same seed, same answers.
        time_scale: What latencies, delays and phases are multiplied by.
        clock: Seconds, monotonic.
        now: The wall clock, for the times that the API tells.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int = 0,
        time_scale: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.time_scale = time_scale
        self.clock = clock
        self.now = now
        self.dice = DiceBox(seed)
        self.use(scenario)
        self.reset()

    def use(self, scenario: Scenario) -> None:
        """Switch to a scenario: its phases and rate limit windows start anew; the ledger goes on."""
        self.scenario = scenario
        self.limits = RateLimits(scenario.limits, self.clock, self.now)
        self.cache = PromptCache(self.clock, scenario.cache.min_tokens)
        self._since = self.clock()

    def reset(self) -> None:
        """Start all over with the scenario in use, with an empty ledger."""
        self.use(self.scenario)
        self.dice.clear()
        self.books = Bookkeeper()
        self.batches = Batches()

    def ledger(self) -> Ledger:
        """The ledger as it stands."""
        return self.books.ledger()

    def faults(self) -> tuple[Fault, ...]:
        """The fault rules that hold now."""
        return self.scenario.faults_at((self.clock() - self._since) / self.time_scale)
