"""One process of a fleet: makes calls under a policy to a target that is down, and prints how many it sent.

    python -m tests.resilience.fleet REDIS_URL COOLDOWN FAILURES

It prints `ready`, and begins when a line comes in, with the time when it ends.
"""

from __future__ import annotations

import random
import sys
import time

from claudescope.resilience.engine.actions import Exchange, Failed, RequestFacts, Send, Wait
from claudescope.resilience.engine.health import Health
from claudescope.resilience.engine.plan import Plan
from claudescope.resilience.engine.rules import BreakerRule, CallPolicy
from claudescope.resilience.engine.runtime import Runtime
from claudescope.resilience.stores.shared import SharedCircuits

PATIENCE = 5.0
"""Longer than an app's: how busy the machine of a test is must not matter."""


def main(url: str, cooldown: float, failures: int) -> int:
    """Make calls, one after the other, and return how many attempts were sent."""
    rule = BreakerRule(failures=failures, window=30, cooldown=cooldown, share=url)
    policy = CallPolicy(breaker=rule, route=("a",), attempts=1)
    runtime = Runtime(health=Health(random.random, SharedCircuits(url, patience=PATIENCE)))
    print("ready", flush=True)  # noqa: T201 - for the test
    sent, end = 0, float(sys.stdin.readline())
    while time.time() < end:
        sent += _call(Plan(policy, RequestFacts(model="opus"), runtime, lambda _: None))
        time.sleep(0.01)
    return sent


def _call(plan: Plan) -> int:
    sent = 0
    while True:
        action = plan.next()
        if isinstance(action, Send):
            sent += 1
            time.sleep(0.005)  # what the answer of a target takes
            plan.failed(Failed("overloaded_error", status=529))
        elif isinstance(action, Exchange):
            plan.exchanged(action.run())
        elif isinstance(action, Wait):
            time.sleep(action.seconds)
        else:
            return sent


if __name__ == "__main__":
    print(main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])), flush=True)  # noqa: T201 - for the test
