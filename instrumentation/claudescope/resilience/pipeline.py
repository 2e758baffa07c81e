"""The steps of calls beside the plan, as one policy asks for them. `steps` says how drivers use them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from claudescope._internal import internal_errors
from claudescope.pricing.price_book import PriceBook
from claudescope.resilience.answers import cache, functions
from claudescope.resilience.answers.in_flight import InFlight, Lead
from claudescope.resilience.answers.messages import as_message, static_message
from claudescope.resilience.body import digest, mapping, plain
from claudescope.resilience.capabilities.fits import adapted, misfits
from claudescope.resilience.capabilities.models import Book
from claudescope.resilience.concurrency import Gates
from claudescope.resilience.spend.bounds import price_bound
from claudescope.resilience.spend.budgets import Budgets, Reservation
from claudescope.resilience.steps import Adapted, Content, Prepared, Slot
from claudescope.resilience.stores.worker import worker_of
from claudescope.resilience.validation import check

if TYPE_CHECKING:
    from claudescope.resilience.engine.actions import Answer, RequestFacts
    from claudescope.resilience.engine.rules import AnswerCache, CallPolicy
    from claudescope.resilience.policies.resolve import Policy

__all__ = ["CallGuard", "Pipeline"]

_CHAT: Final = "chat"
_LONGEST_SHARE: Final = 600.0
_Answers = cache.MemoryAnswers | cache.RedisAnswers


class _Knowledge:
    """What the plan asks: whether a model fits, and what an attempt may cost."""

    def __init__(self, book: Book, prices: PriceBook) -> None:
        self._book = book
        self._prices = prices

    def fits(self, request: RequestFacts, model: str) -> tuple[str, ...]:
        """The reasons why `model` can't serve the request; empty where it can, or is not known."""
        able = self._book.find(model)
        body = mapping(request.body)
        return () if able is None or not body else misfits(body, able, _now().date())

    def price_of(self, request: RequestFacts, model: str) -> Decimal | None:
        """The most that one attempt may cost with `model`, in US dollars; None where no price is known."""
        body = mapping(request.body)
        return price_bound(body, model, self._book.find(model), self._prices, _now()) if body else None


class Pipeline:
    """The steps of the calls under one policy. Made anew by each `protect()`.

    Args:
        policy: The policy.

    Raises:
        BadInputError: A function that the policy names can't be imported.
        MissingExtraError: A package is missing.
    """

    def __init__(self, policy: Policy) -> None:
        self.book = Book()
        self.prices = PriceBook()
        self.plan = _Knowledge(self.book, self.prices)
        self.gates = Gates()
        self.calls = InFlight()
        worker = None if policy.share is None or not policy.budgets else worker_of(policy.share)
        self.budgets = Budgets(policy.budgets, worker)
        self._answers: dict[tuple[str | None, int], _Answers] = {}
        for workflow in (None, *policy.workflows):
            rules = policy.of(workflow)
            for spec in [*(each.value for each in rules.then if each.kind == "function"), rules.reformulate]:
                if isinstance(spec, str) and spec != functions.REGISTERED:
                    functions.load(spec)
            if _keeps(rules):
                self.answers(rules)

    def answers(self, rules: CallPolicy) -> _Answers:
        """Where the answers of these rules are kept."""
        share = None if rules.cache is None else rules.cache.share
        size = 64_000_000 if rules.cache is None else rules.cache.max_bytes
        found = self._answers.get((share, size))
        if found is None:
            made = cache.MemoryAnswers(size) if share is None else cache.RedisAnswers(worker_of(share), share)
            found = self._answers.setdefault((share, size), made)
        return found

    def begin(self, request: RequestFacts, rules: CallPolicy, scope: Callable[[], str]) -> CallGuard | None:
        """The steps of a call; None where its rules have none.

        Args:
            request: The call.
            rules: What holds for it.
            scope: What tells the accounts of calls apart.
        """
        if rules.concurrency is None and (
            request.operation != _CHAT
            or not (
                rules.checks
                or rules.then
                or rules.models
                or rules.cache
                or rules.deduplicate
                or rules.reformulate
                or rules.continue_on_max_tokens
                or self.budgets.of(request.workflow)
            )
        ):
            return None
        return CallGuard(self, request, rules, scope)


def _keeps(rules: CallPolicy) -> bool:
    return rules.cache is not None or any(answer.kind == "cache" for answer in rules.then)


def _now() -> datetime:
    return datetime.now(timezone.utc)


class CallGuard:
    """The steps of one call. No method raises anything but `Refused`, where it says so.

    Args:
        pipeline: What the calls of the policy share.
        request: The call.
        rules: What holds for it.
        scope: What tells the accounts of calls apart.
    """

    def __init__(self, pipeline: Pipeline, request: RequestFacts, rules: CallPolicy, scope: Callable[[], str]) -> None:
        self._pipeline = pipeline
        self._request = request
        self._rules = rules
        self._scope = scope
        self._is_chat = request.operation == _CHAT and isinstance(request.body, Mapping)
        self._reservation: Reservation | None = None
        self._lead: Lead | None = None
        self._key: str | None = None
        self._reformulated = False

    @property
    def wants_message(self) -> bool:
        """Whether `finish` has a use for the message."""
        return self._key is not None or self._lead is not None

    @property
    def room(self) -> int | None:
        """The most tokens that the model of the call writes; None where that is not known."""
        able = None if self._request.model is None else self._pipeline.book.find(self._request.model)
        return None if able is None else able.max_tokens

    @property
    def bound(self) -> Decimal | None:
        """The most that the call may cost in US dollars; None where it has no budget, or no price is known."""
        return None if self._reservation is None else Decimal(self._reservation.amount) / 1_000_000

    # --- before the first attempt -------------------------------------------------------------------------------

    def prepare(self) -> Prepared:
        """Check the call, pay for it, and look for an answer.

        Raises:
            Refused: It is invalid, or a budget is used up.
        """
        if not self._is_chat:
            return Prepared(self._request)
        self._check()
        pipeline, workflow = self._pipeline, self._request.workflow
        if pipeline.budgets.of(workflow):
            self._reservation = pipeline.budgets.reserve(workflow, self._bound())
        kept = self._kept_for()
        if kept is not None and self._key is not None:
            found = pipeline.answers(self._rules).get(self._key, kept.ttl)
            if found is not None:
                return Prepared(self._request, Content(found, "cache"))
        key = self._shared_key()
        if key is not None:
            joined = pipeline.calls.join(key, self._patience())
            if not isinstance(joined, Lead):
                return Prepared(self._request, Content(joined, None))
            self._lead = joined
        return self._prepared()

    async def prepare_async(self) -> Prepared:
        """As `prepare`, without blocking the event loop."""
        if not self._is_chat:
            return Prepared(self._request)
        self._check()
        pipeline, workflow = self._pipeline, self._request.workflow
        if pipeline.budgets.of(workflow):
            self._reservation = await pipeline.budgets.reserve_async(workflow, self._bound())
        kept = self._kept_for()
        if kept is not None and self._key is not None:
            found = await pipeline.answers(self._rules).get_async(self._key, kept.ttl)
            if found is not None:
                return Prepared(self._request, Content(found, "cache"))
        key = self._shared_key()
        if key is not None:
            joined = await pipeline.calls.join_async(key, self._patience())
            if not isinstance(joined, Lead):
                return Prepared(self._request, Content(joined, None))
            self._lead = joined
        return self._prepared()

    def _check(self) -> None:
        if self._rules.checks:
            model = self._request.model
            able = None if model is None else self._pipeline.book.find(model)
            check(self._request.body, self._rules.checks, able, _now().date())

    def _bound(self) -> Decimal | None:
        model = self._request.model
        return None if model is None else self._pipeline.plan.price_of(self._request, model)

    def _kept_for(self) -> AnswerCache | None:
        """The rules of kept answers that are given before a target is asked; `_key` is set where answers are kept."""
        if _keeps(self._rules):
            self._key = cache.key_of(self._request.body, self._scope())
        return self._rules.cache

    def _shared_key(self) -> str | None:
        if not self._rules.deduplicate or self._request.stream:
            return None
        return digest(self._request.body, scope=self._scope())

    def _patience(self) -> float:
        return self._rules.deadline if self._rules.deadline is not None else _LONGEST_SHARE

    def _prepared(self) -> Prepared:
        reservation, rules = self._reservation, self._rules
        degrade = reservation is not None and any(over.budget.then == "degrade" for over in reservation.over)
        if not degrade or not rules.models or self._request.model == rules.models[-1]:
            return Prepared(self._request)
        return Prepared(replace(self._request, model=rules.models[-1]), degraded="model")

    # --- attempts -----------------------------------------------------------------------------------------------

    def acquire(self, target: str, timeout: float | None = None) -> Slot | None:
        """Wait for a place on a target; None where places are not limited.

        Raises:
            Refused: There was none in time.
        """
        limit = self._rules.concurrency
        if limit is None:
            return None
        wait = limit.queue_timeout if timeout is None else min(limit.queue_timeout, timeout)
        return self._pipeline.gates.acquire(target, self._request.workflow, limit.max, wait)

    async def acquire_async(self, target: str, timeout: float | None = None) -> Slot | None:
        """As `acquire`, without blocking the event loop. A cancellation while it waits takes no place."""
        limit = self._rules.concurrency
        if limit is None:
            return None
        wait = limit.queue_timeout if timeout is None else min(limit.queue_timeout, timeout)
        return await self._pipeline.gates.acquire_async(target, self._request.workflow, limit.max, wait)

    def adapt(self, model: str | None, body: object) -> Adapted | None:
        """The body for a model that the app did not ask for; None where it may stay as it is."""
        if model is None or model == self._request.model or not self._is_chat:
            return None
        able = self._pipeline.book.find(model)
        return None if able is None else Adapted(*adapted(mapping(body), able))

    # --- other answers ------------------------------------------------------------------------------------------

    def answer(self, answer: Answer) -> Content | None:
        """The answer that the plan asks for; None where there is none."""
        try:
            if answer.kind == "cache" and self._key is not None:
                return _content(self._pipeline.answers(self._rules).get(self._key, answer.value), "cache")
            function = self._function(answer)
            if function is not None:
                made = None if functions.is_async(function) else function(plain(self._request.body))
                return _content(as_message(made, self._request.model), "function")
            return self._static(answer)
        except Exception:  # noqa: BLE001 - the app gets the real error in place of a broken fallback's
            internal_errors.record("resilience")
            return None

    async def answer_async(self, answer: Answer) -> Content | None:
        """As `answer`, without blocking the event loop."""
        try:
            if answer.kind == "cache" and self._key is not None:
                found = await self._pipeline.answers(self._rules).get_async(self._key, answer.value)
                return _content(found, "cache")
            function = self._function(answer)
            if function is not None:
                made = function(plain(self._request.body))
                made = await made if inspect.isawaitable(made) else made
                return _content(as_message(made, self._request.model), "function")
            return self._static(answer)
        except Exception:  # noqa: BLE001 - as above
            internal_errors.record("resilience")
            return None

    def _function(self, answer: Answer) -> functions.Function | None:
        if answer.kind != "function" or not self._is_chat:
            return None
        return functions.find(answer.value, self._request.workflow)

    def _static(self, answer: Answer) -> Content | None:
        if answer.kind != "static" or not self._is_chat:
            return None
        return Content(static_message(answer.value, self._request.model), "static")

    def reformulated(self) -> Mapping[str, Any] | None:
        """A body to send instead of the one that the content policy refused; None to raise the refusal. Asked once."""
        spec = self._rules.reformulate
        if spec is None or self._reformulated or not self._is_chat:
            return None
        self._reformulated = True
        try:
            made: object = functions.load(spec)(plain(self._request.body))
        except Exception:  # noqa: BLE001 - the app gets the refusal
            internal_errors.record("resilience")
            return None
        return mapping(made) or None

    # --- the end ------------------------------------------------------------------------------------------------

    def finish(self, message: Mapping[str, Any] | None, cost: Decimal | None) -> None:
        """The call is over: charge its budgets, and keep its answer where the policy says so.

        Args:
            message: The message that was answered, as the API's JSON; None for a failure, a stream and other calls.
            cost: What it cost in US dollars with all its attempts; None where no price is known.
        """
        try:
            lead, self._lead = self._lead, None
            if lead is not None:
                lead.end(message)
            if self._reservation is not None:
                self._pipeline.budgets.settle(self._reservation, cost)
            if message is not None and self._key is not None and (value := cache.value_of(message)) is not None:
                self._pipeline.answers(self._rules).put(self._key, value, self._longest())
        except Exception:  # noqa: BLE001 - an internal error must not reach the app
            internal_errors.record("resilience")

    def _longest(self) -> float:
        times = [float(answer.value) for answer in self._rules.then if answer.kind == "cache"]
        if self._rules.cache is not None:
            times.append(self._rules.cache.ttl)
        return max(times, default=0.0)

    def drop(self, cost: Decimal | None = None) -> None:
        """The call was cancelled, or its stream dropped: free what it holds. Fit for finalisers."""
        lead, self._lead = self._lead, None
        if lead is not None:
            lead.end(None)
        if self._reservation is not None:
            self._pipeline.budgets.settle_late(self._reservation, cost)


def _content(message: Mapping[str, Any] | None, by: Any) -> Content | None:
    return None if message is None else Content(message, by)
