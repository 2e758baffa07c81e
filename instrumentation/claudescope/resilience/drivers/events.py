"""Tells the probe, and whoever watches the call, what its plan does."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from claudescope._internal import call_events
from claudescope.probe.attempts import error_type_of
from claudescope.resilience.drivers.facts import response_of
from claudescope.resilience.engine.actions import Degraded, Hop, PlanEvent, Queued, Rejected, Wait
from claudescope.schema import record as facts

if TYPE_CHECKING:
    from claudescope.probe.driven import DrivenCall
    from claudescope.resilience.engine.actions import DegradedBy

__all__ = ["LastFailure", "degraded", "tell"]


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


class LastFailure:
    """The last attempt that failed, until another follows or none does.

    Attributes:
        error: What it raised, or its stream; None where none has failed, or another has followed.
        slept: Seconds slept since.
    """

    __slots__ = ("_at", "_of_stream", "error", "slept")

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.slept = 0.0
        self._at = 0
        self._of_stream = False

    def note(self, error: BaseException, *, of_stream: bool = False) -> None:
        """An attempt has failed, or the stream of one."""
        self.error = error
        self._at = time.time_ns()
        self._of_stream = of_stream

    def take(self) -> BaseException | None:
        """The error, which the app gets."""
        error, self.error = self.error, None
        return error

    def followed(self, driven: DrivenCall | None) -> None:
        """Another attempt follows. Never raises."""
        error = self.take()
        if error is None:
            return
        if driven is not None and self._of_stream:
            driven.reopened(error_type_of(error, streaming=True), self.slept, self._at)
        elif driven is not None:
            driven.retried(response_of(error), error, self.slept, self._at)
        self.slept = 0.0

    def given_up(self, driven: DrivenCall | None) -> None:
        """No attempt follows, and the app does not get its error. Never raises."""
        error = self.take()
        if error is None or driven is None:
            return
        if self._of_stream:
            driven.broke(error_type_of(error, streaming=True))
        else:
            driven.gave_up(response_of(error), error)

    def waiting(self, wait: Wait, attempt: int, attempts: int) -> None:
        """Tell whoever watches the call that it is about to sleep. Never raises.

        Args:
            wait: How long.
            attempt: The number of the attempt that follows.
            attempts: The most attempts that the call may make.
        """
        error = self.error
        if call_events.WATCHER.get() is None:
            return
        if error is None:
            left = partial(_left, time.monotonic() + wait.seconds)
            call_events.tell(call_events.Queued("throttle", None, left))
        else:
            failed = error_type_of(error, streaming=self._of_stream)
            call_events.tell(call_events.Retrying(wait.seconds, attempt, attempts, failed))


def _left(end: float) -> float:
    return max(end - time.monotonic(), 0.0)
