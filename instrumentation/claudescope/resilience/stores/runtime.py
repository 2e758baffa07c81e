"""Makes the state that the calls of a process share under a policy."""

from __future__ import annotations

import hashlib
import random

from claudescope.resilience.engine.actions import Steps
from claudescope.resilience.engine.health import Health
from claudescope.resilience.engine.rules import Target
from claudescope.resilience.engine.runtime import Runtime
from claudescope.resilience.policies.resolve import Policy

__all__ = ["make_runtime"]


def make_runtime(policy: Policy, steps: Steps | None = None) -> Runtime:
    """Make the runtime of a policy. Connects to nothing yet.

    Args:
        policy: The policy. Where it shares circuits, they are in its Redis.
        steps: Knowledge about models; None for none.

    Raises:
        MissingExtraError: The policy shares circuits, and the package `redis` is missing.
    """
    if policy.share is None:
        return Runtime(steps=steps)
    # Late, as most policies share nothing.
    from claudescope.resilience.stores.shared import SharedCircuits

    identities = {name: _identity(target) for name, target in policy.targets.items()}
    return Runtime(steps=steps, health=Health(random.random, SharedCircuits(policy.share, identities)))


def _identity(target: Target) -> str:
    """A short name of what a target is, without its key: apps that call different places may use one name."""
    parts = (target.client, target.base_url, target.region, target.project)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
