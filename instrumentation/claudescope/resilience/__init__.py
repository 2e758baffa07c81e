"""Calls survive what the API does to them: retries, circuit breakers, failover and fallbacks, under a policy.

import claudescope
claudescope.protect()                       # the built-in policy
claudescope.protect("resilience.yaml")      # a policy of your own
"""

from __future__ import annotations

from claudescope.resilience.errors import StreamResetEvent, partial_message
from claudescope.resilience.policies.load import load_policy
from claudescope.resilience.policies.resolve import Policy
from claudescope.resilience.protection import complete, fallback, policy, protect, unprotect

__all__ = [
    "Policy",
    "StreamResetEvent",
    "complete",
    "fallback",
    "load_policy",
    "partial_message",
    "policy",
    "protect",
    "unprotect",
]
