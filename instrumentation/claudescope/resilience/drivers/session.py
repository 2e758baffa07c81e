"""One protected call: what the sync and the async driver share. It asks the plan, and reports to plan and probe."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

from claudescope._internal import call_events, internal_errors
from claudescope._internal.json_values import is_object
from claudescope.probe.attempts import Place, error_type_of
from claudescope.probe.driven import DrivenCall
from claudescope.resilience.answers.deliver import message_of
from claudescope.resilience.drivers.delivery import Delivering
from claudescope.resilience.drivers.events import LastFailure, degraded, tell
from claudescope.resilience.drivers.facts import NO_LIMITS, LazyLimits, failure_of, own_timeout
from claudescope.resilience.drivers.parts import Guarding, Prepared
from claudescope.resilience.drivers.streamed import StreamedCall
from claudescope.resilience.engine.actions import Action, Fail, PlanEvent, Send, Succeeded, Wait
from claudescope.resilience.errors import rejection
from claudescope.resilience.targets.places import Destination, retargeted, with_body, with_timeouts

if TYPE_CHECKING:
    from collections.abc import Callable

    from claudescope.resilience.engine.actions import RequestFacts
    from claudescope.resilience.engine.plan import Plan
    from claudescope.resilience.engine.rules import StreamStrategy
    from claudescope.resilience.pipeline import CallGuard
    from claudescope.resilience.steps import Prepared as PreparedCall
    from claudescope.resilience.steps import Refused, Slot
    from claudescope.resilience.targets.places import Places

__all__ = ["AGAIN", "CURRENT_SESSION", "Session"]

CURRENT_SESSION: Final[ContextVar[Session | None]] = ContextVar("claudescope_session", default=None)
"""The protected call whose attempt this code runs in: calls that a middleware makes in it get no loop of their own."""

AGAIN: Final = object()
"""In place of a result: the call goes on."""


class Session(Delivering, StreamedCall):
    """A protected call, from its first action until it has ended, the reading of its stream included.

    Args:
        places: The targets of the policy.
        own_name: The name of the target that the app's own client sends to.
        client: The app's own client.
        options: The SDK's options of the request.
        request: What the engine knows of it.
        original: The SDK's method, which makes one attempt.
        cast_to: Its argument for the type of the result.
        arguments: Its further arguments.
        make_plan: Makes the plan of the call, which tells its events to a function, and was made at a time.
        is_async: Whether the client is async.

    Attributes:
        plan: The plan of the call.
        response: The last response; None while an attempt has none.
        guard: Watches the stream of the call; None where it has none.
        steps: What the policy asks for beside the plan; None where it asks for nothing, or the call is over.
        strategy: What follows where its stream breaks after its first content; None to raise the error.
        rounds: How often more may be asked for of an answer that `max_tokens` cuts.
        is_prepared: Whether it has a plan.
    """

    # Every call has one of these.
    __slots__ = (
        "_client",
        "_destination",
        "_driven",
        "_failure",
        "_is_async",
        "_make_plan",
        "_number",
        "_options",
        "_own_name",
        "_pending",
        "_places",
        "_planned",
        "_policy_timeout",
        "_refusal",
        "_request",
        "_sending",
        "_sent_at",
        "_slot",
        "arguments",
        "cast_to",
        "guard",
        "is_prepared",
        "original",
        "plan",
        "response",
        "rounds",
        "steps",
        "strategy",
    )

    plan: Plan
    _planned: RequestFacts

    def __init__(
        self,
        places: Places,
        own_name: str,
        client: Any,
        options: Any,
        request: RequestFacts,
        original: Callable[..., Any],
        cast_to: Any,
        arguments: dict[str, Any],
        make_plan: Callable[[RequestFacts, Callable[[PlanEvent], None], float | None], Plan],
        *,
        is_async: bool,
    ) -> None:
        self._make_plan = make_plan
        self.is_prepared = False
        self._places = places
        self._own_name = own_name
        self._client = client
        self._options = options
        self._request = request
        self._is_async = is_async
        self._driven = DrivenCall.current(arguments.get("call"))
        self._failure = LastFailure()
        self._number = 0
        self._sent_at = 0.0
        self._policy_timeout = False
        self._destination: Destination | None = None
        self._refusal: Refused | None = None
        self._slot: Slot | None = None
        self._sending: Send | None = None
        self._pending: Send | None = None  # to be sent again with another body
        self.steps: CallGuard | None = None
        self.strategy: StreamStrategy | None = None
        self.rounds = 0
        self._rounds = None
        self.original = original
        self.cast_to = cast_to
        self.arguments = arguments
        self.response: Any = None
        self.guard: Guarding | None = None

    # --- what the plan says -------------------------------------------------------------------------------------

    def begin(self, request: RequestFacts) -> None:
        """Make the plan of the call. A budget may have changed its model."""
        if not self.is_prepared:
            self._planned, self.is_prepared = request, True
            self.plan = self._make_plan(request, self.on_event, None)

    def next_round(self, body: Mapping[str, Any]) -> None:
        """More is asked for after an answer that `max_tokens` has cut, in the same call."""
        self._leave_place()
        self._options = with_body(self._options, body)
        self.plan = self._make_plan(self._planned, self.on_event, self.plan.since)
        if self._driven is not None:
            self._driven.next_answer()

    def prepared(self, prepared: PreparedCall) -> None:
        """The steps before the first attempt are done."""
        self.begin(prepared.request)
        degraded(self._driven, prepared.degraded)

    def next(self) -> Action:
        """What to do now."""
        pending, self._pending = self._pending, None
        return self.plan.next() if pending is None else pending

    def refused(self, refusal: Refused) -> BaseException:
        """The exception of a call that a step refused before the first attempt."""
        self.over()
        if self._driven is not None:
            self._driven.note(rejected=refusal.reason)
        return rejection(refusal.reason, refusal.detail, retry_after=refusal.retry_after, error_type=refusal.error_type)

    def took_place(self, slot: Slot | None) -> None:
        """The attempt has a place among the calls under way."""
        self._slot = slot
        if slot is not None and slot.waited > 0 and self._driven is not None:
            self._driven.queued("concurrency", slot.waited)

    def not_sent(self, refusal: Refused) -> None:
        """There was no place for the attempt in time. The plan says what follows."""
        self._refusal = refusal
        self.plan.not_sent(refusal.reason)

    def on_event(self, event: PlanEvent) -> None:
        """Take an event of the plan. Never raises."""
        tell(self._driven, event, self._request.model)

    def sleeping(self, wait: Wait) -> None:
        """A wait begins."""
        self._failure.waiting(wait, self._number + 1, self.plan.most_attempts)

    def slept(self, wait: Wait) -> None:
        """The wait is over."""
        self._failure.slept += wait.seconds
        if self._failure.error is None and wait.why == "throttle" and self._driven is not None:
            self._driven.queued("throttle", wait.seconds)

    # --- an attempt ---------------------------------------------------------------------------------------------

    def prepare(self, send: Send) -> Prepared:
        """Make the request of an attempt, and report that it is about to be sent.

        Raises:
            BadInputError: The target's client can't be made.
        """
        driven = self._driven
        self._failure.followed(driven)
        destination = self._places.destination(send.target, self._own_name, self._client, is_async=self._is_async)
        self._destination = destination
        model = send.model
        if model is not None:
            if destination.is_own and model == self._request.model and not self._is_degraded(model):
                model = None  # the app's client knows the name that the app gave
            else:
                target = self._places.targets.get(send.target)
                model = model if target is None else target.model_name(model)
        options = retargeted(self._options, destination, self._client, model)
        adapted = None if self.steps is None else self.steps.adapt(send.model, self._options.json_data)
        if adapted is not None:
            options.json_data = {**adapted.body, "model": model or self._asked_model()}
        options.max_retries = 0
        self._sending = send
        self._number = send.number
        if send.number > 1:
            own: object = options.headers
            options.headers = {**(own if is_object(own) else {}), "x-stainless-retry-count": str(send.number - 1)}
        timeouts = send.timeouts
        own_limit = own_timeout(self._client, self._options)
        limit, self._policy_timeout = with_timeouts(own_limit, timeouts, stream=self._request.stream)
        if limit is not own_limit or not destination.is_own:
            options.timeout = limit
        if driven is not None:
            there = self._asked_model() if model is None else model
            place = Place(send.target, destination.provider, there, destination.server_address)
            driven.sending(place, destination.region)
        call_events.tell(call_events.Sending(send.number, send.target))
        self.response = None
        self._sent_at = time.monotonic()
        return Prepared(destination.client, options)

    def _is_degraded(self, model: str) -> bool:
        """Whether a budget has put another model in place of the one that the app asked for."""
        return self._places.canonical(self._own_name, self._asked_model()) != model

    def _asked_model(self) -> str | None:
        body: object = self._options.json_data
        model: object = body.get("model") if is_object(body) else None
        return model if isinstance(model, str) else None

    def failed(self, error: Exception) -> None:
        """An attempt raised. The plan says what follows."""
        self._failure.note(error)
        self._leave_place()
        if self._reformulated(error):
            return
        client = self._client if self._destination is None else self._destination.client
        elapsed = time.monotonic() - self._sent_at
        self.plan.failed(failure_of(client, error, elapsed, policy_timeout=self._policy_timeout))
        if self._driven is not None:
            self._driven.note(retry_budget=self.plan.retry_budget_remaining)

    def _leave_place(self) -> None:
        slot, self._slot = self._slot, None
        if slot is not None:
            slot.release()

    def _reformulated(self, error: Exception) -> bool:
        """Whether the request is sent again in other words, as the content policy refused it."""
        if self.steps is None or error_type_of(error, streaming=False) != "content_policy_error":
            return False
        body = self.steps.reformulated()
        if body is None:
            return False
        self._options, self._pending = with_body(self._options, body), self._sending
        return True

    def returned(self, result: Any) -> Any:
        """An attempt succeeded: the call has ended, or the app reads its stream now.

        Returns:
            What the app gets; `AGAIN` where more is asked for first.
        """
        response, guard = self.response, self.guard
        streams = guard is not None and response is not None and not response.is_closed
        limits = NO_LIMITS if response is None else LazyLimits(response)
        self.plan.succeeded(Succeeded(limits, time.monotonic() - self._sent_at, stream=streams))
        if self._number > 1 and hasattr(result, "retries_taken"):
            result.retries_taken = self._number - 1
        if streams and guard is not None:
            guard.returned(response, result)
        elif self._joins is not None and (body := self._joins.next_body(result)) is not None:
            self.next_round(body)
            return AGAIN
        else:
            result = result if self._joins is None else self._joins.joined(result)
            wants = self.steps is not None and self.steps.wants_message and not self._request.stream
            self.over(message_of(result) if wants else None)
        self.response = None  # the stream's guard must not keep it alive
        return result

    # --- the end ------------------------------------------------------------------------------------------------

    def error(self, fail: Fail) -> BaseException:
        """The exception that the app gets: the last real one, or one that says why nothing was sent."""
        error = self._failure.take()
        self.over()
        if error is None:
            reason = fail.reason or "circuit_open"
            refusal = self._refusal
            detail = fail.detail if refusal is None or refusal.reason != reason else f"{fail.detail}; {refusal.detail}"
            error = rejection(reason, detail, retry_after=fail.retry_after, error_type=fail.error_type)
            if self._driven is not None:
                self._driven.note(rejected=reason)
        elif fail.reason is not None and hasattr(error, "add_note"):
            cast("Any", error).add_note(f"claudescope: {fail.detail}")  # since Python 3.11
        return error

    def answered(self) -> None:
        """The app gets an answer that no target gave."""
        self._failure.given_up(self._driven)
        self.plan.answered()

    def over(self, message: Mapping[str, Any] | None = None) -> None:
        """The call has ended: free its place, and charge what it cost. Only the first end counts. Never raises."""
        self._leave_place()
        steps, self.steps = self.steps, None
        if steps is not None:
            steps.finish(message, self._cost(steps))

    def _cost(self, steps: CallGuard) -> Decimal | None:
        if self._driven is not None:
            return self._driven.cost_usd
        # Nobody sees what was billed, so that the budget is charged with the most that it may be.
        return steps.bound if self._number else None

    def cancelled(self) -> None:
        """The app stopped the call, or dropped its stream. Frees what it holds; fit for finalisers. Never raises."""
        self._failure.given_up(self._driven)
        try:
            self._leave_place()
            steps, self.steps = self.steps, None
            if steps is not None:
                steps.drop(self._cost(steps))
            self.plan.cancelled()
        except Exception:  # noqa: BLE001 - an internal error must not replace the app's own exception
            internal_errors.record("resilience")
