"""What drivers do for a call beside the plan: check it, pay for it, queue it, and answer it without a target.

A driver makes a `CallGuard` of `pipeline` for each call of the app, and asks it at fixed places:

    guard = pipeline.begin(request, rules, scope)   # None where the rules have no steps
    prepared = guard.prepare()              # or `await guard.prepare_async()`; may raise Refused
    if prepared.answer is not None:
        ...                                 # deliver it (`answers.deliver`); the call is over
    ...                                     # the plan gets `prepared.request`, whose model a budget may have changed
    for each Send:
        slot = guard.acquire(send.target, timeout)   # or `await guard.acquire_async(...)`; may raise Refused
        adapted = guard.adapt(send.model, body)      # the body for this model
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
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from claudescope.resilience.engine.actions import DegradedBy, RejectedReason, RequestFacts

__all__ = ["Adapted", "Content", "Prepared", "Refused", "Slot"]


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
        self.reason: RejectedReason = reason
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
