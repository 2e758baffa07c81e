"""The state of a running simulator. Only the server's event loop uses it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone

from claudescope.simulator.batches import Batches
from claudescope.simulator.continuations import Answers
from claudescope.simulator.ledger import Ledger, Stats
from claudescope.simulator.limits import RateLimits
from claudescope.simulator.prompts import PromptCache
from claudescope.simulator.randomness import RandomnessSource
from claudescope.simulator.scenario import InjectedError, Scenario

__all__ = ["SimulatorState"]


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class SimulatorState:
    """The scenario in use and all state that responses depend on.

    Args:
        scenario: The scenario to start with.
        seed: The same seed gives the same responses.
        time_scale: Factor for latencies, delays and phases.
        clock: Monotonic clock, in seconds.
        now: Wall clock, for the timestamps in responses.
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
        self.randomness = RandomnessSource(seed)
        self.use(scenario)
        self.reset()

    def use(self, scenario: Scenario) -> None:
        """Switch to a scenario. Its phases and rate limit windows start now; the ledger keeps its counts."""
        self.scenario = scenario
        self.limits = RateLimits(scenario.limits, self.clock, self.now)
        self.cache = PromptCache(self.clock, scenario.cache.min_tokens)
        self._since = self.clock()

    def reset(self) -> None:
        """Start again with the scenario in use and an empty ledger."""
        self.use(self.scenario)
        self.randomness.clear()
        self.stats = Stats()
        self.batches = Batches()
        self.answers = Answers()

    def ledger(self) -> Ledger:
        """The counts so far."""
        return self.stats.ledger()

    def injected_errors(self) -> tuple[InjectedError, ...]:
        """The rules for injected errors that apply now."""
        return self.scenario.errors_at((self.clock() - self._since) / self.time_scale)
