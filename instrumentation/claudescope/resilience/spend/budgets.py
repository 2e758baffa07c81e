"""Budgets in US dollars, by workflow and day of UTC, for this process or shared by Redis.

The price of a call is reserved before it is sent and replaced by its cost when it has ended, so that calls under way at
once can't exceed a budget that blocks. A reservation of a process that died lapses. While Redis is away, each process
goes on with the last total that it knows and its own spending, and tells Redis when it is back.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import ROUND_CEILING, Decimal
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from claudescope._internal.fork import renew_in_child, run_in_child
from claudescope.resilience.steps import Refused

if TYPE_CHECKING:
    from claudescope.resilience.engine.rules import Budget
    from claudescope.resilience.stores.worker import RedisWorker

__all__ = ["Budgets", "Over", "Reservation"]

_MICRO: Final = Decimal(1_000_000)
_DAY: Final = 86400
_LEASE: Final = 3600.0
_PREFIX: Final = "claudescope:1:budget"
_MOST_LATE: Final = 10_000

_logger = logging.getLogger("claudescope.resilience")


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class Over(NamedTuple):
    """A budget that is used up, for a call that goes on.

    Attributes:
        budget: The budget.
        spent: US dollars of today.
    """

    budget: Budget
    spent: Decimal


@dataclass(slots=True)
class Reservation:
    """What one call has reserved. `Budgets.settle` ends it.

    Attributes:
        over: The budgets that are used up and do not block.
    """

    name: str = ""
    amount: int = 0
    held: tuple[Budget, ...] = ()
    over: tuple[Over, ...] = ()
    day: int = 0
    settled: bool = False


@dataclass(slots=True)
class _Account:
    """A budget as this process knows it, in micro-dollars."""

    day: int = 0
    spent: int = 0
    reserved: int = 0
    untold: int = 0
    told_over: int = -1


@dataclass(slots=True)
class _Answer:
    """What the shared store said of one budget."""

    granted: bool
    spent: int
    reserved: int


@dataclass(slots=True)
class _Question:
    budget: Budget
    untold: int


@dataclass(slots=True)
class _Shared:
    """Budgets in Redis."""

    worker: RedisWorker
    reserve: str = field(default_factory=lambda: _script("reserve.lua"))
    settle: str = field(default_factory=lambda: _script("settle.lua"))

    def asking(self, questions: Sequence[_Question], name: str, amount: int) -> Callable[[Any], list[_Answer]]:
        def ask(client: Any) -> list[_Answer]:
            answers: list[_Answer] = []
            for question in questions:
                budget = question.budget
                hard = 1 if budget.then == "block" else 0
                arguments = [amount, _micro(budget.usd_per_day), hard, name, int(_LEASE * 1000), question.untold]
                granted, spent, reserved = client.eval(self.reserve, 2, *_keys(budget), *arguments)
                answers.append(_Answer(bool(granted), int(spent), int(reserved)))
                if not granted:
                    for done in questions[: len(answers) - 1]:
                        client.eval(self.settle, 2, *_keys(done.budget), name, amount, 0)
                    break
            return answers

        return ask

    def settling(self, reservation: Reservation, cost: int) -> Callable[[Any], list[int]]:
        def ask(client: Any) -> list[int]:
            pipeline = client.pipeline(transaction=False)
            for budget in reservation.held:
                pipeline.eval(self.settle, 2, *_keys(budget), reservation.name, reservation.amount, cost)
            return [int(spent) for spent in pipeline.execute()]

        return ask


def _script(name: str) -> str:
    return files("claudescope.resilience.spend").joinpath(name).read_text(encoding="utf-8")


def _keys(budget: Budget) -> tuple[str, str]:
    # The braces keep both on one node of a cluster.
    tag = "{" + (budget.workflow or "*") + "}"
    return f"{_PREFIX}:{tag}", f"{_PREFIX}:{tag}:reserved"


def _micro(amount: Decimal) -> int:
    return max(int((amount * _MICRO).to_integral_value(ROUND_CEILING)), 0)


class Budgets:
    """The budgets of a policy. Thread-safe; works after a fork, under gevent, on asyncio and on trio.

    Args:
        budgets: The budgets.
        worker: The Redis that shares them; None for this process alone.
        now: The time, in UTC.
    """

    def __init__(
        self,
        budgets: Sequence[Budget],
        worker: RedisWorker | None = None,
        *,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._budgets = tuple(budgets)
        self._shared = None if worker is None else _Shared(worker)
        self._now = now
        self._lock = threading.Lock()
        self._accounts: OrderedDict[str | None, _Account] = OrderedDict()
        self._late: deque[tuple[Reservation, int]] = deque(maxlen=_MOST_LATE)
        renew_in_child(self, "_lock")
        run_in_child(self, Budgets._renew)

    def _renew(self) -> None:
        # The parent's calls are not under way here, and the parent tells what it has spent.
        self._late.clear()
        for account in self._accounts.values():
            account.reserved = account.untold = 0

    def of(self, workflow: str | None) -> tuple[Budget, ...]:
        """The budgets that a call of a workflow counts against."""
        return tuple(budget for budget in self._budgets if budget.workflow is None or budget.workflow == workflow)

    def spent(self, workflow: str | None) -> Decimal:
        """What a budget's workflow has spent today, as this process knows it; None for the budget of all calls."""
        with self._lock:
            return Decimal(self._account(workflow).spent) / _MICRO

    def reserve(self, workflow: str | None, bound: Decimal | None) -> Reservation:
        """Reserve the price of a call in each of its budgets.

        Args:
            workflow: The workflow of the call.
            bound: The most that it may cost; None where no price is known, which reserves nothing.

        Raises:
            Refused: A budget that blocks has no room for it.
        """
        made, questions = self._begin(workflow, bound)
        if not questions:
            return made
        answers = None
        if self._shared is not None and self._shared.worker.available():
            answers = self._shared.worker.run(self._shared.asking(questions, made.name, made.amount))
        return self._decide(made, questions, answers)

    async def reserve_async(self, workflow: str | None, bound: Decimal | None) -> Reservation:
        """As `reserve`, without blocking the event loop."""
        made, questions = self._begin(workflow, bound)
        if not questions:
            return made
        answers = None
        if self._shared is not None and self._shared.worker.available():
            answers = await self._shared.worker.run_async(self._shared.asking(questions, made.name, made.amount))
        return self._decide(made, questions, answers)

    def settle(self, reservation: Reservation, cost: Decimal | None) -> None:
        """Charge what a call cost, and end its reservation. Does not wait for Redis. Never raises.

        Args:
            reservation: What it reserved. Settling again charges nothing.
            cost: US dollars; None where it is not known, which charges nothing.
        """
        self.settle_late(reservation, cost)
        self._flush()

    def settle_late(self, reservation: Reservation, cost: Decimal | None) -> None:
        """As `settle`, when the next call comes. Takes no lock, so it is fit for finalisers."""
        if not reservation.settled:
            reservation.settled = True
            if reservation.held:
                self._late.append((reservation, 0 if cost is None else _micro(cost)))

    def _begin(self, workflow: str | None, bound: Decimal | None) -> tuple[Reservation, list[_Question]]:
        self._flush()
        budgets = self.of(workflow)
        if not budgets:
            return Reservation(), []
        made = Reservation(uuid.uuid4().hex, 0 if bound is None else _micro(bound))
        questions = [_Question(budget, 0) for budget in budgets]
        if self._shared is not None:
            with self._lock:
                for question in questions:
                    account = self._account(question.budget.workflow)
                    question.untold, account.untold = account.untold, 0
        return made, questions

    def _decide(self, made: Reservation, questions: Sequence[_Question], answers: list[_Answer] | None) -> Reservation:
        refused: Over | None = None
        over: list[Over] = []
        with self._lock:
            for number, question in enumerate(questions):
                account = self._account(question.budget.workflow)
                if answers and number < len(answers):
                    account.spent = answers[number].spent + account.untold
                else:
                    account.untold += question.untold
            for number, question in enumerate(questions):
                budget, account = question.budget, self._account(question.budget.workflow)
                limit = _micro(budget.usd_per_day)
                if answers:
                    granted = number < len(answers) and answers[number].granted
                else:
                    room = limit - account.spent - account.reserved
                    granted = budget.then != "block" or (account.spent < limit and made.amount <= room)
                if not granted:
                    refused = Over(budget, Decimal(account.spent) / _MICRO)
                    break
                if account.spent >= limit and budget.then != "block":
                    over.append(Over(budget, Decimal(account.spent) / _MICRO))
            if refused is None:
                for question in questions:
                    self._account(question.budget.workflow).reserved += made.amount
                made.held = tuple(question.budget for question in questions)
                made.day = self._today()
            warnings = [each for each in over if self._is_news(each)]
        if refused is not None:
            raise self._refusal(refused, made)
        for each in warnings:
            _logger.warning("%s. Calls go on (%s).", _told(each), each.budget.then)
        made.over = tuple(over)
        return made

    def _flush(self) -> None:
        """Charge what has ended since."""
        while self._late:
            try:
                reservation, cost = self._late.popleft()
            except IndexError:  # another thread was faster
                return
            with self._lock:
                for budget in reservation.held:
                    account = self._account(budget.workflow)
                    account.reserved = max(account.reserved - reservation.amount, 0)
                    account.spent += cost
            if self._shared is not None:
                self._tell(self._shared, reservation, cost)

    def _tell(self, shared: _Shared, reservation: Reservation, cost: int) -> None:
        def then(answer: list[int] | None) -> None:
            if answer is None:  # told with the next reservation that gets through
                with self._lock:
                    for budget in reservation.held:
                        self._account(budget.workflow).untold += cost

        if shared.worker.available():
            shared.worker.tell(shared.settling(reservation, cost), then)
        else:
            then(None)

    def _account(self, workflow: str | None) -> _Account:
        """The account of a budget, today's. The lock is held."""
        today = self._today()
        account = self._accounts.get(workflow)
        if account is None:
            account = self._accounts[workflow] = _Account(today)
        elif account.day != today:
            account.day, account.spent, account.untold = today, 0, 0
        return account

    def _today(self) -> int:
        return int(self._now().timestamp()) // _DAY

    def _is_news(self, over: Over) -> bool:
        account = self._account(over.budget.workflow)
        if account.told_over == account.day:
            return False
        account.told_over = account.day
        return True

    def _refusal(self, over: Over, made: Reservation) -> Refused:
        left = _DAY - int(self._now().timestamp()) % _DAY
        price = f"{Decimal(made.amount) / _MICRO:.4f}"
        detail = f"{_told(over)}, and this call may cost up to ${price}. The next day of UTC begins in {left} s"
        return Refused("budget", "spend_limit_error", detail, retry_after=float(left))


def _told(over: Over) -> str:
    whose = "all calls" if over.budget.workflow is None else f"the workflow {over.budget.workflow!r}"
    return f"Today's budget of {whose} is ${over.budget.usd_per_day:f}, and ${over.spent:.4f} are spent"
