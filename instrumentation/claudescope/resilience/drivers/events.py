"""Tells the probe, and whoever watches the call, what its plan does."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from claudescope._internal import call_events
from claudescope.probe.attempts import error_type_of
from claudescope.resilience.engine.actions import Degraded, Hop, PlanEvent, Queued, Rejected, Wait
from claudescope.schema import record as facts

if TYPE_CHECKING:
    from claudescope.probe.driven import DrivenCall
    from claudescope.resilience.engine.actions import DegradedBy

__all__ = ["degraded", "tell", "waiting"]


def tell(driven: DrivenCall | None, event: PlanEvent, asked: str | None) -> None:
    """Tell an event. Never raises.

    Args:
        driven: The call, as the probe sees it; None where no probe sees it.
        event: The event.
        asked: The model that the app asked for.
    """
    if isinstance(event, Hop):
        model = event.model if event.model != asked else None
        call_events.tell(call_events.Rerouted(event.reason, event.to_target, model))
        if driven is not None:
            driven.hopped(facts.Hop(event.reason, event.from_target, event.to_target, model), time.time_ns())
    elif isinstance(event, Degraded):
        degraded(driven, event.by)
    elif driven is None:
        return
    elif isinstance(event, Rejected):
        driven.note(rejected=event.reason)
    elif isinstance(event, Queued):
        driven.queued(event.kind, event.seconds)
    else:
        driven.circuit(facts.Transition(event.target, event.model, event.to))


def degraded(driven: DrivenCall | None, by: DegradedBy | None) -> None:
    """Tell that the app gets another answer than the one that it asked for; None where it does not. Never raises."""
    if by is None:
        return
    call_events.tell(call_events.Degraded(by))
    if driven is not None:
        driven.note(degraded_by=by)


def waiting(wait: Wait, error: BaseException | None, attempt: int, attempts: int, *, streaming: bool) -> None:
    """Tell that the call is about to sleep. Never raises.

    Args:
        wait: How long.
        error: Why the attempt before failed; None where none did.
        attempt: The number of the attempt that follows.
        attempts: The most attempts that the call may make.
        streaming: Whether it failed while its stream was read.
    """
    if call_events.WATCHER.get() is None:
        return
    if error is None:
        call_events.tell(call_events.Queued("throttle", None, partial(_left, time.monotonic() + wait.seconds)))
    else:
        failed = error_type_of(error, streaming=streaming)
        call_events.tell(call_events.Retrying(wait.seconds, attempt, attempts, failed))


def _left(end: float) -> float:
    return max(end - time.monotonic(), 0.0)
