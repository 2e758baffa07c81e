"""What drivers do for a call beside the plan: check it, pay for it, queue it, and answer it without a target.

A driver makes a `Guard` for each call of the app, and asks it at fixed places:

    guard = steps.begin(request, policy)
    prepared = guard.prepare()              # or `await guard.prepare_async()`; may raise Refused
    if prepared.answer is not None:
        ...                                 # deliver it (`answers.deliver`); the call is over
    ...                                     # the plan gets `prepared.request`, whose model a budget may have changed
    for each Send:
        slot = guard.acquire(send.target, timeout)   # or `await guard.acquire_async(...)`; may raise Refused
        adapted = guard.adapt(send.model)            # the body for this model
        ...                                          # send, with `httpx_timeout(send.timeouts, ...)`
        slot.release()                               # when the attempt, or its stream, is over
    for each Answer of the plan:
        content = guard.answer(answer)               # or `await guard.answer_async(answer)`; None: there is none
    finally:
        guard.finish(message, cost)                  # or `await guard.finish_async(...)`, or `guard.drop()`

`prepare` goes in the order of the pipeline: validation, budgets in dollars, answers of the cache and of calls under
way. Nothing here imports the SDK. A `Refused` becomes the SDK's error in the driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from claudescope.resilience.engine.actions import Answer, DegradedBy, RejectedReason, RequestFacts
    from claudescope.resilience.engine.actions import Steps as PlanSteps
    from claudescope.resilience.engine.rules import CallPolicy

__all__ = ["Adapted", "CallSteps", "Content", "Guard", "Prepared", "Refused", "Slot"]


class Refused(Exception):  # noqa: N818 - it is no error yet: the driver raises the SDK's
    """The call, or its next attempt, is not sent.

    Attributes:
        reason: The value of `claude.rejected.reason`.
        error_type: The error type, a name of `ERROR_TYPES`.
        detail: Why, in one sentence, with the values. It holds nothing of a prompt.
        retry_after: Seconds after which another call may succeed; None where that is not known.
    """

    def __init__(
        self, reason: RejectedReason, error_type: str, detail: str, *, retry_after: float | None = None
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.error_type = error_type
        self.detail = detail
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Content:
    """An answer that no target gave.

    Attributes:
        message: The message, as the API's JSON has it.
        by: How it differs from the answer that was asked for; None for one of a call under way with the same key.
    """

    message: Mapping[str, Any]
    by: DegradedBy | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call that may go on.

    Attributes:
        request: The call, with another model where a budget asks for a cheaper one.
        answer: The answer, where none need be asked for.
        degraded: `model` where a budget changed the model.
        notes: What was found, for the record and the logs, such as a budget that is used up. Nothing of a prompt.
    """

    request: RequestFacts
    answer: Content | None = None
    degraded: DegradedBy | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adapted:
    """The body of a request for one model.

    Attributes:
        body: The request's own body where nothing had to change, else a copy of it.
        changes: What was changed, such as `thinking: enabled becomes adaptive`. Nothing of a prompt.
    """

    body: Mapping[str, Any]
    changes: tuple[str, ...] = ()


class Slot(Protocol):
    """A place among the calls that may be under way.

    Attributes:
        waited: Seconds that the call waited for it; 0 where it did not.
    """

    @property
    def waited(self) -> float:
        """Seconds that the call waited for it."""
        ...

    def release(self) -> None:
        """Give it back. May be called again, from any thread, and from a finaliser. Never raises."""
        ...


class Guard(Protocol):
    """The steps of one call of the app. Every method may raise `Refused` where it says so, and nothing else."""

    def prepare(self) -> Prepared:
        """Check the call, pay for it, and look for an answer.

        Raises:
            Refused: It is invalid, or a budget is used up.
        """
        ...

    async def prepare_async(self) -> Prepared:
        """As `prepare`, without blocking the event loop."""
        ...

    def acquire(self, target: str, timeout: float | None = None) -> Slot:
        """Wait for a place on a target.

        Args:
            target: The target.
            timeout: The longest wait in seconds, below the policy's `queue_timeout`; None for that.

        Raises:
            Refused: There was none in time.
        """
        ...

    async def acquire_async(self, target: str, timeout: float | None = None) -> Slot:
        """As `acquire`, without blocking the event loop. A cancellation while it waits takes no place."""
        ...

    def adapt(self, model: str | None) -> Adapted:
        """The body for a model. Never raises."""
        ...

    def answer(self, answer: Answer) -> Content | None:
        """The answer that the plan asks for; None where there is none. Never raises."""
        ...

    async def answer_async(self, answer: Answer) -> Content | None:
        """As `answer`, without blocking the event loop."""
        ...

    def reformulated(self, error: BaseException) -> Mapping[str, Any] | None:
        """A body to send instead of the one that the content policy refused; None to raise the refusal.

        It is asked once in a call. Never raises.
        """
        ...

    def finish(self, message: Mapping[str, Any] | None, cost: Decimal | None) -> None:
        """The call is over: charge its budgets, and keep its answer where the policy says so. Never raises.

        Args:
            message: The message that was answered, as the API's JSON; None for a failure, a stream and other calls.
            cost: What it cost in US dollars with all its attempts; None where no price is known.
        """
        ...

    async def finish_async(self, message: Mapping[str, Any] | None, cost: Decimal | None) -> None:
        """As `finish`, without blocking the event loop."""
        ...

    def drop(self, cost: Decimal | None = None) -> None:
        """The call was cancelled, or its stream dropped: free what it holds. Fit for finalisers. Never raises."""
        ...


class CallSteps(Protocol):
    """The steps of the calls under one policy."""

    @property
    def plan(self) -> PlanSteps:
        """What the plan asks: whether a model fits, and what an attempt may cost."""
        ...

    def begin(self, request: RequestFacts, policy: CallPolicy) -> Guard:
        """The steps of a call. `request.body` is the body of the request: a mapping, or None for a call without one."""
        ...
