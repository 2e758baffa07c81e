"""The built-in policy: what holds where a file says nothing. It needs no pydantic."""

from __future__ import annotations

from typing import Final

from claudescope.resilience.engine.retry import DEFAULT_RULES
from claudescope.resilience.engine.rules import BreakerRule, CallPolicy

__all__ = ["DEFAULT_BREAKER", "DEFAULT_FAILURES", "DEFAULT_POLICY"]

DEFAULT_FAILURES: Final = 5
"""Failures in the window that open a circuit, where the policy has a `breaker` without `failures` and `rate`."""

# By rate: a count of failures would open the circuit of a busy app that has one error in a hundred calls.
DEFAULT_BREAKER: Final = BreakerRule(failures=None, rate=0.5, minimum_calls=10)
"""When circuits open where the policy has no `breaker`."""

DEFAULT_POLICY: Final = CallPolicy(
    deadline=600.0,  # the SDK's own timeout
    retry_budget=0.1,
    throttle=frozenset({"rate-limit-headers"}),
    error_types=DEFAULT_RULES,
    breaker=DEFAULT_BREAKER,
)
"""What holds for a call where no file says otherwise."""
