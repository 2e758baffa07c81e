"""The targets and models that a call may go to, in order of preference."""

from __future__ import annotations

from typing import NamedTuple

from claudescope.resilience.engine.actions import RequestFacts
from claudescope.resilience.engine.rules import CallPolicy
from claudescope.resilience.engine.runtime import Runtime

__all__ = ["Candidate", "candidates"]


class Candidate(NamedTuple):
    """A target and a model."""

    target: str
    model: str | None


def candidates(policy: CallPolicy, request: RequestFacts, runtime: Runtime, now: float) -> list[Candidate]:
    """All targets for the model that was asked for, then all targets for the next model, and so on.

    A conversation that has moved to another target stays there for a while, as its prompt cache is there: for the time
    that the policy says, and until its preferred target is well again, or needs a call to probe it.
    """
    route = policy.route
    if request.targets is not None:
        route = tuple(name for name in route if name in request.targets) or tuple(sorted(request.targets))
    if request.conversation is not None and len(route) > 1:
        place = runtime.affinity.place_of(request.conversation)
        if place is not None and place.target in route and place.target != route[0]:
            moved_lately = now - place.since < policy.stick
            if moved_lately or not runtime.health.is_well(route[0], request.model, policy.breaker, now):
                route = (place.target, *(name for name in route if name != place.target))
    return [Candidate(target, model) for model in policy.chain(request.model) for target in route]
