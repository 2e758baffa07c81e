"""What the calls of one process share under a policy."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from claudescope.resilience.engine.actions import Steps
from claudescope.resilience.engine.affinity import Affinity
from claudescope.resilience.engine.health import Health
from claudescope.resilience.engine.quota import Quota
from claudescope.resilience.engine.retry_budget import RetryBudgets
from claudescope.resilience.engine.throttle import AdaptiveThrottle, HeaderThrottle

__all__ = ["Runtime"]


def _health() -> Health:
    return Health(random.random)


@dataclass(slots=True)
class Runtime:
    """The state that plans read and change. Thread-safe, and made anew by each `protect()`.

    Attributes:
        clock: Returns the time in seconds; it never goes back.
        random: Returns a number from 0 up to 1.
        steps: Knowledge about models; None for none.
        health: The circuits.
        budgets: The retry budgets.
        quota: What 429s hold back.
        headers: The throttle by rate-limit headers.
        adaptive: The throttle by what targets accept.
        affinity: Where conversations are.
    """

    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    steps: Steps | None = None
    health: Health = field(default_factory=_health)
    budgets: RetryBudgets = field(default_factory=RetryBudgets)
    quota: Quota = field(default_factory=Quota)
    headers: HeaderThrottle = field(default_factory=HeaderThrottle)
    adaptive: AdaptiveThrottle = field(default_factory=AdaptiveThrottle)
    affinity: Affinity = field(default_factory=Affinity)
