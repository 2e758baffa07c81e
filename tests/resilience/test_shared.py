"""Circuits that processes share by a real Redis, and what happens while it is frozen, killed and back."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from claudescope.resilience.engine.actions import Action, Exchange, RequestFacts, Send, Succeeded
from claudescope.resilience.engine.health import Ask, Message
from claudescope.resilience.engine.plan import Plan
from claudescope.resilience.engine.retry import DEFAULT_RULES
from claudescope.resilience.engine.rules import BreakerRule, CallPolicy
from claudescope.resilience.stores import shared
from claudescope.resilience.stores.shared import SharedCircuits
from tests.resilience.engine import Outcome, World, error
from tests.resilience.fleet import PATIENCE
from tests.servers import RedisServer, wait_for

RULE = BreakerRule(failures=3, window=30, cooldown=60)
POLICY = CallPolicy(breaker=RULE, route=("a",), attempts=1, error_types=DEFAULT_RULES)
DOWN = error("overloaded_error", status=529)
OK = Succeeded()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[RedisServer]:
    """A Redis that nobody harms."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as redis:
        yield redis


@pytest.fixture
def own_server(tmp_path: Path) -> Generator[RedisServer]:
    """A Redis that a test may freeze and kill."""
    with RedisServer(tmp_path) as redis:
        yield redis


def _process(
    server: RedisServer, target: Outcome | list[Outcome], *, patience: float = PATIENCE, model: str = ""
) -> World:
    """A process of a fleet: a world of its own whose circuits are in Redis. `model` keeps tests apart."""
    world = World({"a": target}, share=SharedCircuits(server.url, {"a": model}, patience=patience))
    world.runtime.random = random.Random(1).random  # noqa: S311 - a test's
    return world


def _state(world: World) -> str:
    return world.runtime.health.state("a", "opus")


class TestFleet:
    """State shared by Redis: closed stays local, only transitions are shared. One probe at a time in the fleet."""

    def test_failures_of_all_processes_count(self, server: RedisServer) -> None:
        """Three processes with one failure each open the circuit, and a fourth sends nothing."""
        fleet = [_process(server, DOWN, model="count") for _ in range(4)]
        assert [len(world.call(POLICY).sends) for world in fleet] == [1, 1, 1, 0]
        assert [_state(world) for world in fleet] == ["closed", "closed", "open", "open"]
        self._move_on(*fleet)
        assert [len(world.call(POLICY).sends) for world in fleet] == [0, 0, 0, 0]

    def test_by_rate(self, server: RedisServer) -> None:
        """Successes of all processes count for the rate: three failures of six open it, and of eight don't."""
        policy = replace(POLICY, breaker=replace(RULE, failures=None, rate=0.5, minimum_calls=6))
        for name, successes, state in (("half", 3, "open"), ("less", 5, "closed")):
            fleet = [
                _process(server, [*[OK] * successes, *[DOWN] * 2], model=name),
                _process(server, [DOWN], model=name),
            ]
            for _ in range(successes + 2):
                fleet[0].call(policy)
            fleet[1].call(policy)
            assert _state(fleet[1]) == state

    def test_one_probe_in_the_fleet(self, server: RedisServer) -> None:
        """Of two processes one gets the probe. A cancelled probe is free for the other; a good one closes for both."""
        policy = replace(POLICY, breaker=replace(RULE, cooldown=0.001))
        one, two = (_process(server, DOWN, model="probe") for _ in range(2))
        for world in (one, two):
            while _state(world) != "open":
                world.call(policy)
        first, second = (world.plan(policy, RequestFacts(model="opus"), []) for world in (one, two))
        wait_for("the cooldown is over", lambda: self._may_probe(one, policy) and self._may_probe(two, policy))
        self._move_on(one, two)
        assert isinstance(self._until_sent(first), Send)
        assert not isinstance(self._until_sent(second), Send)
        first.cancelled()
        third = two.plan(policy, RequestFacts(model="opus"), [])
        wait_for("the probe is free", lambda: self._may_probe(two, policy))
        probe = self._until_sent(third)
        assert isinstance(probe, Send)
        third.succeeded(OK)
        wait_for("both are closed", lambda: self._closed(one, policy) and self._closed(two, policy))

    @staticmethod
    def _move_on(*worlds: World) -> None:
        for world in worlds:
            world.now += 1

    def _may_probe(self, world: World, policy: CallPolicy) -> bool:
        """Whether the lease that Redis knew of has gone, without taking a new one."""
        self._move_on(world)
        share = world.runtime.health.share
        assert share is not None
        message = Message("look", "a", "opus", policy.breaker or RULE)
        snapshots = share.exchange([message])
        world.runtime.health.adopt(message, snapshots[0] if snapshots else None, world.now)
        return snapshots is not None and snapshots[0].blocked_for == 0

    def _closed(self, world: World, policy: CallPolicy) -> bool:
        self._may_probe(world, policy)
        return _state(world) == "closed"

    @staticmethod
    def _until_sent(plan: Plan) -> Action:
        while isinstance(action := plan.next(), Exchange):
            plan.exchanged(action.run())
        return action

    def test_targets_of_one_name_that_differ_share_nothing(self, server: RedisServer) -> None:
        """Two apps whose target has the same name and another URL have circuits of their own."""
        one, two = _process(server, DOWN, model="here"), _process(server, OK, model="there")
        for _ in range(3):
            one.call(POLICY)
        assert _state(one) == "open"
        assert len(two.call(POLICY).sends) == 1

    def test_healthy_calls_ask_once_a_second(self, server: RedisServer) -> None:
        """Of a hundred calls within a second the first one asks Redis."""
        world = _process(server, OK, model="healthy")
        calls = [world.call(POLICY) for _ in range(100)]
        asked = [sum(isinstance(action, Exchange) for action in call.actions) for call in calls]
        assert asked == [1] + [0] * 99

    def test_eight_processes_in_a_total_outage(self, server: RedisServer) -> None:
        """In an outage of three seconds with a cooldown of one, eight processes send twelve requests at most.

        That is certain: three failures open the circuit, seven attempts may be under way at that moment, and two
        cooldowns end in time.
        """
        command = [sys.executable, "-m", "tests.resilience.fleet", server.url, "1", "3"]
        fleet = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 # ours
            for _ in range(8)
        ]
        try:
            for process in fleet:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
            end = time.time() + 3
            for process in fleet:
                assert process.stdin is not None
                process.stdin.write(f"{end}\n")
                process.stdin.flush()
            sent = [int(process.communicate(timeout=100)[0]) for process in fleet]
        finally:
            for process in fleet:
                process.kill()
                process.wait()
        assert 1 <= sum(sent) <= 12, sent


class TestRedisAway:
    """Redis gone or frozen: the local breaker, a short wait once, and no call is lost."""

    def test_frozen(self, own_server: RedisServer) -> None:
        """One call waits for a frozen Redis, the next ones don't ask; the breaker goes on, and Redis learns of it."""
        world = _process(own_server, OK, patience=0.2)
        assert len(world.call(POLICY).sends) == 1
        own_server.freeze()
        world.now += 2
        calls = [world.call(POLICY) for _ in range(20)]
        assert [sum(isinstance(action, Exchange) for action in call.actions) for call in calls] == [1] + [0] * 19
        assert all(call.failure is None for call in calls)
        world.targets["a"] = DOWN
        for _ in range(3):
            world.call(POLICY)
        assert _state(world) == "open"
        assert world.call(POLICY).sends == []
        own_server.thaw()
        share = world.runtime.health.share
        assert share is not None
        wait_for("Redis is back", share.available)
        assert world.call(POLICY).sends == []
        other = _process(own_server, DOWN)
        assert other.call(POLICY).sends == []

    def test_killed_and_started_again(self, own_server: RedisServer) -> None:
        """No call is lost while Redis is killed and after it comes back empty."""
        world = _process(own_server, OK)
        world.call(POLICY)
        own_server.kill()
        world.now += 2
        assert all(world.call(POLICY).failure is None for _ in range(20))
        own_server.start()
        share = world.runtime.health.share
        assert share is not None
        wait_for("Redis is back", share.available)
        world.now += 2
        assert all(world.call(POLICY).failure is None for _ in range(20))
        world.targets["a"] = DOWN
        other = _process(own_server, DOWN)
        for _ in range(2):
            world.call(POLICY)
        other.call(POLICY)
        assert _state(other) == "open"

    def test_never_there(self, caplog: pytest.LogCaptureFixture) -> None:
        """A Redis that never was there costs no call, and one warning says so without the password."""
        share = SharedCircuits("redis://:secret@127.0.0.1:1/0", patience=PATIENCE)
        world = World({"a": DOWN}, share=share)
        assert sum(len(world.call(POLICY).sends) for _ in range(20)) == 3
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "secret" not in caplog.text

    def test_the_wait_is_short(self) -> None:
        """A call waits for less than 50 ms, and only once."""
        assert shared.PATIENCE < 0.05

    def test_a_refused_password(self, own_server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
        """A Redis that refuses the password counts as away."""
        share = SharedCircuits(own_server.url.replace("//", "//user:secret@"), patience=PATIENCE)
        assert World({"a": OK}, share=share).call(POLICY).failure is None
        assert "secret" not in caplog.text


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_event_loop_goes_on(own_server: RedisServer, backend: str) -> None:
    """On asyncio and trio other tasks run while a call waits for a frozen Redis."""
    share = SharedCircuits(own_server.url, patience=0.3)
    message = Message("look", "a", "opus", RULE)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await anyio.sleep(0.001)
            ticks += 1

    async def run() -> None:
        nonlocal ticks
        assert await share.exchange_async([message])
        own_server.freeze()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tick)
            ticks = 0
            assert await share.exchange_async([message]) is None
            tasks.cancel_scope.cancel()

    anyio.run(run, backend=backend)
    assert ticks > 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_has_a_connection_of_its_own(server: RedisServer) -> None:
    """Parent and child both share circuits after a fork, also one that happens while the parent talks to Redis."""
    world = _process(server, DOWN, model="fork")
    world.call(POLICY)
    share = world.runtime.health.share
    assert share is not None
    stop = threading.Event()

    def talk() -> None:
        while not stop.is_set():
            share.exchange([Message("look", "a", "other", RULE)])

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        statuses = []
        for _ in range(5):
            child = os.fork()
            if not child:
                os._exit(0 if share.exchange([Message("look", "a", "opus", RULE)]) else 1)
            statuses.append(os.waitpid(child, 0)[1])
    finally:
        stop.set()
        thread.join()
    assert statuses == [0] * 5
    for _ in range(2):
        world.call(POLICY)
    assert _state(world) == "open"


def test_a_question_goes_nowhere_without_a_store() -> None:
    """Without a shared store, circuits ask nothing."""
    world = World({"a": OK})
    assert not isinstance(world.runtime.health.admit("a", "opus", RULE, 0.0), Ask)
