"""The plan of one call: what it does next, given the policy and what has happened."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from claudescope.resilience.engine.actions import Action, Fail, Failed, PlanEvent, RequestFacts, Send, Steps, Succeeded
from claudescope.resilience.engine.rules import CallPolicy

__all__ = ["Plan", "Runtime"]


@dataclass(slots=True)
class Runtime:
    """What the calls of this process share, and what the engine knows of the world."""

    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    steps: Steps | None = None


class Plan:
    """A skeleton, so that drivers can be written: it sends once. The engine replaces it."""

    def __init__(
        self, policy: CallPolicy, request: RequestFacts, runtime: Runtime, on_event: Callable[[PlanEvent], None]
    ) -> None:
        self._policy = policy
        self._request = request
        self._runtime = runtime
        self._on_event = on_event
        self._last: Failed | None = None

    def next(self) -> Action:
        """What to do now."""
        if self._last is not None:
            return Fail(None, self._last.error_type, "the call failed", self._last.retry_after)
        return Send(self._policy.route[0], self._request.model, self._policy.timeouts, 1)

    def failed(self, fact: Failed) -> None:
        """Report that the attempt failed."""
        self._last = fact

    def succeeded(self, fact: Succeeded) -> None:
        """Report that the attempt succeeded, or that its response is a stream."""

    def exchanged(self, result: object) -> None:
        """Report the result of an `Exchange`."""

    def answered(self) -> None:
        """Report that the app got the `Answer`."""

    def declined(self) -> None:
        """Report that there is no such answer."""

    def cancelled(self) -> None:
        """Report that the app has cancelled the call. Frees what it holds."""

    def stream_opened(self) -> None:
        """Report the first content event of a stream."""

    def stream_ended(self, error_type: str | None, *, policy_timeout: bool = False) -> None:
        """Report that the stream ended: None for `message_stop`, else the error type. Comes after `succeeded`."""
