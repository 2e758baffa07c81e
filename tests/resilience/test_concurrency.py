"""Limits of concurrency: order, timeouts, cancellation, several event loops, greenlets, forks and finalisers."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from claudescope.resilience.concurrency import Gate, Gates, Place
from claudescope.resilience.steps import Refused
from tests.servers import wait_for

_LONG = 60.0


def _in_thread(run: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


async def _queued(gate: Gate) -> None:
    for _ in range(100_000):
        if gate.waiting == 1:
            return
        await anyio.lowlevel.checkpoint()
    raise AssertionError("nobody waits")


def _taken(gate: Gate) -> Place:
    place = gate.acquire(0)
    assert place is not None
    return place


def test_no_more_calls_than_places_are_under_way() -> None:
    """Twenty threads share three places: never more than three are in, and all get through."""
    gate, inside, most = Gate(3), list[int](), 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal most
        place = gate.acquire(_LONG)
        assert place is not None
        with lock:
            inside.append(1)
            most = max(most, len(inside))
        threading.Event().wait(0.002)
        with lock:
            inside.pop()
        place.release()

    threads = [_in_thread(work) for _ in range(20)]
    for thread in threads:
        thread.join(_LONG)
    assert not any(thread.is_alive() for thread in threads)
    assert most == 3
    assert gate.taken == gate.waiting == 0


def test_places_go_to_whoever_waits_longest() -> None:
    """Places are handed over in the order of the queue, and a newcomer does not overtake."""
    gate, order = Gate(1), list[int]()
    first = _taken(gate)

    def queue_up(number: int) -> threading.Thread:
        def work() -> None:
            place = gate.acquire(_LONG)
            assert place is not None
            order.append(number)
            place.release()

        thread = _in_thread(work)
        wait_for("a place in the queue", lambda: gate.waiting == number + 1)
        return thread

    threads = [queue_up(number) for number in range(5)]
    assert gate.acquire(0) is None
    first.release()
    for thread in threads:
        thread.join(_LONG)
    assert order == [0, 1, 2, 3, 4]


def test_a_timeout_leaves_nothing_behind() -> None:
    """Who waited in vain has left the queue, and takes no place later. The refusal says what to change."""
    gates = Gates()
    place = gates.acquire("primary", "summarise", 1, 0)
    with pytest.raises(Refused) as caught:
        gates.acquire("primary", "summarise", 1, 0.01)
    assert caught.value.reason == "queue_timeout"
    assert caught.value.error_type == "pool_timeout_error"
    assert "'primary'" in caught.value.detail
    assert "concurrency.max" in caught.value.detail
    gate = gates.gate("primary", "summarise", 1)
    assert gate.waiting == 0
    place.release()
    assert gate.taken == 0
    gates.acquire("primary", "other", 1, 0).release()


def test_releasing_twice_gives_one_place_back() -> None:
    """A second release, as after a cancellation, changes nothing."""
    gate = Gate(2)
    one, _two = _taken(gate), _taken(gate)
    one.release()
    one.release()
    assert gate.taken == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_task_takes_no_place(backend: str) -> None:
    """A task cancelled in the queue leaves it at once, and the next in the queue gets the place."""
    gate, got = Gate(1), list[str]()

    async def late() -> None:
        place = await gate.acquire_async(_LONG)
        assert place is not None
        got.append("late")
        place.release()

    async def main() -> None:
        first = await gate.acquire_async(0)
        assert first is not None
        async with anyio.create_task_group() as tasks:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as cancelled:
                    cancelled.start_soon(gate.acquire_async, _LONG)
                    await _queued(gate)
                    scope.cancel()
            assert gate.waiting == 0
            tasks.start_soon(late)
            await _queued(gate)
            first.release()

    anyio.run(main, backend=backend)
    assert got == ["late"]
    assert gate.taken == gate.waiting == 0


def test_a_place_granted_to_a_task_that_is_cancelled_goes_back() -> None:
    """The place arrives and the cancellation too, before the task runs again: the place is not lost."""
    gate = Gate(1)

    async def main() -> None:
        first = await gate.acquire_async(0)
        assert first is not None
        task = asyncio.create_task(gate.acquire_async(_LONG))
        await _queued(gate)
        first.release()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert gate.taken == 0


def test_threads_and_several_event_loops_share_the_places() -> None:
    """Two event loops and threads hand places to each other."""
    gate, count = Gate(2), list[str]()

    async def one(name: str) -> None:
        place = await gate.acquire_async(_LONG)
        assert place is not None
        await asyncio.sleep(0)
        count.append(name)
        place.release()

    async def many(name: str) -> None:
        await asyncio.gather(*(one(name) for _ in range(50)))

    def in_thread() -> None:
        for _ in range(50):
            place = gate.acquire(_LONG)
            assert place is not None
            count.append("thread")
            place.release()

    threads = [_in_thread(lambda: asyncio.run(many("a"))), _in_thread(lambda: asyncio.run(many("b")))]
    threads += [_in_thread(in_thread), _in_thread(in_thread)]
    for thread in threads:
        thread.join(_LONG)
    assert len(count) == 200
    assert gate.taken == gate.waiting == 0


def test_a_place_for_a_closed_event_loop_goes_to_the_next() -> None:
    """A task that waits on a loop that was stopped and closed can't take its place: the next one gets it."""
    gate = Gate(1)
    first = _taken(gate)
    loop = asyncio.new_event_loop()

    stranded: Any = loop.create_task(gate.acquire_async(_LONG))
    loop.run_until_complete(_queued(gate))
    loop.close()
    first.release()
    place = gate.acquire(_LONG)
    assert place is not None
    place.release()
    assert gate.taken == 0
    stranded._log_destroy_pending = False
    with contextlib.suppress(RuntimeError):  # anyio notices that no task runs
        stranded.get_coro().close()
    assert gate.taken == 0


def test_a_finaliser_in_the_middle_gives_a_place_back() -> None:
    """A collection of garbage may give places back while the lock is held by the same thread: no deadlock."""
    gate = Gate(4)
    place = _taken(gate)
    with gate._lock:
        place.release()
        gc.collect()
        assert gate.taken == 1
    assert gate.acquire(0) is not None
    assert gate.taken == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_starts_with_free_places() -> None:
    """The child of a process whose places are taken, and whose lock is held, makes calls at once."""
    code = (
        "import os, sys\n"
        "from claudescope.resilience.concurrency import Gate\n"
        "gate = Gate(1)\n"
        "taken = gate.acquire(0)\n"
        "gate._lock.acquire()\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    mine = gate.acquire(0)\n"
        "    taken.release()\n"
        "    os._exit(0 if mine is not None and gate.taken == 1 else 1)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=_LONG)  # noqa: S603 - ours
    assert done.returncode == 0


def test_greenlets_wait_without_stopping_the_others() -> None:
    """Under gevent, patched after the gate was made, a waiting greenlet lets the one with the place go on."""
    code = (
        "from claudescope.resilience.concurrency import Gate\n"
        "gate = Gate(1)\n"
        "from gevent import monkey\n"
        "monkey.patch_all()\n"
        "import gevent\n"
        "order = []\n"
        "def work(n):\n"
        "    place = gate.acquire(60)\n"
        "    order.append(n)\n"
        "    gevent.sleep(0)\n"
        "    place.release()\n"
        "gevent.joinall([gevent.spawn(work, n) for n in range(5)], timeout=60, raise_error=True)\n"
        "with gevent.Timeout(0.05, False):\n"
        "    held = gate.acquire(0)\n"
        "    gate.acquire(60)\n"
        "assert order == [0, 1, 2, 3, 4] and gate.waiting == 0 and gate.taken == 1, (order, gate.waiting, gate.taken)\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=_LONG)  # noqa: S603 - ours


def test_gates_that_nobody_uses_are_forgotten() -> None:
    """A workflow name for each user does not grow the table without bound, and no place in use is lost."""
    gates = Gates()
    kept = gates.acquire("primary", "kept", 1, 0)
    for number in range(3000):
        gates.acquire("primary", f"workflow-{number}", 1, 0).release()
    assert len(gates._gates) <= 1001
    with pytest.raises(Refused):
        gates.acquire("primary", "kept", 1, 0)
    kept.release()
