"""Tells the probe what the plan of a call does."""

from __future__ import annotations

import time

from claudescope.probe.driven import DrivenCall
from claudescope.resilience.engine.actions import Degraded, Hop, PlanEvent, Queued, Rejected
from claudescope.schema import record as facts

__all__ = ["tell"]


def tell(driven: DrivenCall, event: PlanEvent, asked: str | None) -> None:
    """Tell an event. Never raises.

    Args:
        driven: The call, as the probe sees it.
        event: The event.
        asked: The model that the app asked for.
    """
    if isinstance(event, Hop):
        model = event.model if event.model != asked else None
        driven.hopped(facts.Hop(event.reason, event.from_target, event.to_target, model), time.time_ns())
    elif isinstance(event, Degraded):
        driven.note(degraded_by=event.by)
    elif isinstance(event, Rejected):
        driven.note(rejected=event.reason)
    elif isinstance(event, Queued):
        driven.queued(event.kind, event.seconds)
    else:
        driven.circuit(facts.Transition(event.target, event.model, event.to))
