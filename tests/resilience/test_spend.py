"""Prices before a call, and budgets of a day: never exceeded, never negative, in this process and in a real Redis."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudescope.pricing.price_book import PriceBook
from claudescope.resilience.capabilities.models import Book
from claudescope.resilience.engine.rules import Budget
from claudescope.resilience.spend.bounds import price_bound
from claudescope.resilience.spend.budgets import Budgets, Reservation
from claudescope.resilience.steps import Refused
from claudescope.resilience.stores.worker import RedisWorker
from tests.servers import RedisServer, wait_for

_AT = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
_PATIENT = 30.0  # a busy machine is no failure


def _bound(model: str = "claude-opus-5-5", **changes: Any) -> Decimal | None:
    body = {"model": model, "max_tokens": 1000, "messages": [{"role": "user", "content": "x" * 3200}], **changes}
    return price_bound(body, model, Book().find(model), PriceBook(), _AT)


def _budget(dollars: str, then: Any = "block", workflow: str | None = "w") -> Budget:
    return Budget(workflow, Decimal(dollars), then)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis for the module."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


def test_a_call_is_priced_before_it_is_sent() -> None:
    """About 1,000 tokens of input at $4 and 1,000 of output at $20 a million are at most about 2.4 cents."""
    bound = _bound()
    assert bound is not None
    assert Decimal("0.0240") <= bound < Decimal("0.0242")


@pytest.mark.parametrize(
    ("changes", "factor"),
    [
        ({"cache_control": {"type": "ephemeral"}}, "1.041"),
        ({"system": [{"type": "text", "text": "", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]}, "1.16"),
        ({"speed": "fast"}, "1.9"),
        ({"inference_geo": "us"}, "1.09"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 5}]}, "2.9"),
    ],
)
def test_what_makes_a_call_dearer_is_in_its_price(changes: dict[str, Any], factor: str) -> None:
    """Cache writes, fast mode, regions and searches raise the bound."""
    plain, dearer = _bound(), _bound(**changes)
    assert plain is not None
    assert dearer is not None
    assert dearer > plain * Decimal(factor)


def test_a_model_writes_no_more_than_its_limit() -> None:
    """A `max_tokens` above the model's limit is adapted before sending, so the bound has the limit."""
    assert _bound("claude-haiku-4-5", max_tokens=10**6) == _bound("claude-haiku-4-5", max_tokens=64_000)


def test_an_unknown_model_has_no_price() -> None:
    """What is not known is None, never 0."""
    assert _bound("claude-opus-99") is None


def test_a_budget_that_blocks_is_not_exceeded_by_calls_under_way() -> None:
    """Three calls of at most 40 cents do not fit into a dollar at once; they do once one has ended for less."""
    budgets = Budgets([_budget("1")], now=lambda: _AT)
    first = budgets.reserve("w", Decimal("0.4"))
    budgets.reserve("w", Decimal("0.4"))
    with pytest.raises(Refused) as caught:
        budgets.reserve("w", Decimal("0.4"))
    assert caught.value.reason == "budget"
    assert caught.value.error_type == "spend_limit_error"
    assert caught.value.retry_after == 12 * 3600
    assert "'w' is $1, and $0.0000 are spent" in caught.value.detail
    budgets.settle(first, Decimal("0.01"))
    budgets.settle(first, Decimal("0.01"))
    assert budgets.spent("w") == Decimal("0.01")
    budgets.reserve("w", Decimal("0.4"))


def test_budgets_begin_anew_with_the_day_of_utc() -> None:
    """What was spent yesterday does not count, and a call that ends today counts today."""
    now = [_AT]
    budgets = Budgets([_budget("1")], now=lambda: now[0])
    budgets.settle(budgets.reserve("w", Decimal("0.5")), Decimal(1))
    late = None
    with pytest.raises(Refused):
        budgets.reserve("w", Decimal(0))
    now[0] += timedelta(hours=12)
    late = budgets.reserve("w", Decimal("0.9"))
    now[0] += timedelta(days=1)
    budgets.settle(late, Decimal("0.7"))
    assert budgets.spent("w") == Decimal("0.7")


def test_other_workflows_have_other_budgets() -> None:
    """A budget without a workflow counts all calls, one with a workflow only its own."""
    budgets = Budgets([_budget("1"), _budget("2", workflow=None)], now=lambda: _AT)
    budgets.settle(budgets.reserve("w", Decimal("0.1")), Decimal("0.9"))
    budgets.settle(budgets.reserve("other", Decimal("0.1")), Decimal("0.9"))
    with pytest.raises(Refused, match="all calls"):
        budgets.reserve("other", Decimal("0.3"))
    with pytest.raises(Refused, match="'w'"):
        budgets.reserve("w", Decimal("0.15"))
    assert budgets.reserve(None, Decimal("0.1")).held


@pytest.mark.parametrize("then", ["warn", "degrade"])
def test_a_budget_that_does_not_block_says_so_once(then: str, caplog: pytest.LogCaptureFixture) -> None:
    """Calls go on, each is told that the budget is used up, and the log has one line a day."""
    budgets = Budgets([_budget("1", then)], now=lambda: _AT)
    budgets.settle(budgets.reserve("w", Decimal(5)), Decimal(1))
    with caplog.at_level(logging.WARNING, "claudescope.resilience"):
        for _ in range(3):
            (over,) = budgets.reserve("w", Decimal(5)).over
            assert over.budget.then == then
            assert over.spent == 1
    assert len(caplog.records) == 1


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["reserve", "settle", "late"]),
            st.decimals(min_value=0, max_value=2, places=8),
            st.decimals(min_value=0, max_value=1, places=8),
        ),
        max_size=30,
    )
)
def test_a_budget_is_neither_exceeded_nor_negative(steps: list[tuple[str, Decimal, Decimal]]) -> None:
    """Whatever the order: with costs within their bounds, spent and reserved stay between 0 and the limit."""
    budgets = Budgets([_budget("3")], now=lambda: _AT)
    held: list[tuple[Reservation, Decimal]] = []
    for what, bound, share in steps:
        if what == "reserve":
            try:
                held.append((budgets.reserve("w", bound), bound))
            except Refused:
                continue
        elif held:
            reservation, most = held.pop()
            (budgets.settle if what == "settle" else budgets.settle_late)(reservation, most * share)
        account = budgets._accounts.get("w")
        if account is not None:
            assert account.spent >= 0
            assert account.reserved >= 0
            assert account.spent + account.reserved <= 3_000_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_owes_nothing_for_its_parent() -> None:
    """The child neither waits for the parent's lock nor holds the parent's reservations."""
    code = (
        "import os, sys\n"
        "from decimal import Decimal\n"
        "from claudescope.resilience.engine.rules import Budget\n"
        "from claudescope.resilience.spend.budgets import Budgets\n"
        "budgets = Budgets([Budget(None, Decimal(1), 'block')])\n"
        "budgets.reserve(None, Decimal(1))\n"
        "budgets._lock.acquire()\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    budgets.reserve(None, Decimal(1))\n"
        "    os._exit(0)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)  # noqa: S603 - ours


def test_processes_share_a_budget(redis: RedisServer) -> None:
    """Two instances with one Redis together don't exceed it, and each sees what the other spent."""
    budget = _budget("1", workflow="shared")
    one, two = (Budgets([budget], RedisWorker(redis.url, patience=_PATIENT)) for _ in range(2))
    first = one.reserve("shared", Decimal("0.6"))
    with pytest.raises(Refused):
        two.reserve("shared", Decimal("0.6"))
    one.settle(first, Decimal("0.1"))

    def fits() -> bool:
        try:
            two.settle(two.reserve("shared", Decimal("0.9")), Decimal(0))
        except Refused:
            return False
        return True

    wait_for("the first call's cost", fits)
    assert two.spent("shared") == Decimal("0.1")

    def is_free_again() -> bool:
        try:
            return bool(asyncio.run(one.reserve_async("shared", Decimal("0.2"))).held)
        except Refused:
            return False

    wait_for("the end of the other's reservation", is_free_again)


def test_a_crowd_does_not_exceed_a_shared_budget(redis: RedisServer) -> None:
    """Threads of three instances reserve and settle at once: what was granted never exceeds the limit."""
    budget = _budget("1", workflow="crowd")
    granted, lock = list[int](), threading.Lock()

    def work() -> None:
        budgets = Budgets([budget], RedisWorker(redis.url, patience=_PATIENT))
        for _ in range(40):
            try:
                budgets.reserve("crowd", Decimal("0.05"))
            except Refused:
                continue
            with lock:
                granted.append(1)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 20


def test_a_budget_of_all_calls_is_given_back_where_another_refuses(redis: RedisServer) -> None:
    """A call that one of its budgets refuses reserves nothing in the others."""
    wide, narrow = _budget("1", workflow=None), _budget("0.1", workflow="narrow")
    budgets = Budgets([wide, narrow], RedisWorker(redis.url, patience=_PATIENT))
    for _ in range(20):
        with pytest.raises(Refused, match="'narrow'"):
            budgets.reserve("narrow", Decimal("0.2"))
    assert budgets.reserve("wide", Decimal("0.9")).held


def test_a_frozen_redis_is_told_later(tmp_path: Path) -> None:
    """While Redis is frozen, calls go on with what is known; when it is back, it learns what was spent meanwhile."""
    with RedisServer(tmp_path) as server:
        budget = _budget("1", workflow="frozen")
        one, two = (Budgets([budget], RedisWorker(server.url, patience=0.2)) for _ in range(2))
        wait_for("Redis", lambda: one._shared is not None and one._shared.worker.run(lambda c: c.ping()) is not None)
        one.settle(one.reserve("frozen", Decimal("0.1")), Decimal("0.3"))
        wait_for("the charge", lambda: two.reserve("frozen", Decimal(0)).held != () and two.spent("frozen") > 0)
        server.freeze()
        one.settle(one.reserve("frozen", Decimal("0.1")), Decimal("0.5"))
        with pytest.raises(Refused):
            one.reserve("frozen", Decimal("0.3"))
        server.thaw()

        def told() -> bool:
            one.settle(one.reserve("frozen", Decimal(0)), Decimal(0))
            two.settle(two.reserve("frozen", Decimal(0)), Decimal(0))
            return two.spent("frozen") == Decimal("0.8")

        wait_for("what was spent meanwhile", told)
