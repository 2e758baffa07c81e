"""Dropped calls are ended by a thread of ours, never inside the finaliser."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable

from claudescope._internal import internal_errors
from claudescope.probe.deferred import DeferredEndings


def test_flush_runs_what_is_queued() -> None:
    """Without a thread, flushing runs the endings where it is called."""
    finisher = DeferredEndings()
    done: list[int] = []
    finisher.later(lambda: done.append(threading.get_ident()))
    finisher.flush()
    assert done == [threading.get_ident()]


def test_the_thread_runs_them_in_order() -> None:
    """With the thread, endings run there, in order, and flushing waits for them."""
    finisher = DeferredEndings()
    finisher.start()
    finisher.start()
    done: list[tuple[int, bool]] = []

    def ending(number: int) -> Callable[[], None]:
        return lambda: done.append((number, threading.current_thread().name == "claudescope-finisher"))

    for number in range(50):
        finisher.later(ending(number))
    finisher.flush()
    assert done == [(number, True) for number in range(50)]


def test_a_fault_does_not_stop_it() -> None:
    """An ending that raises is counted, and the next one still runs."""
    finisher = DeferredEndings()
    done: list[bool] = []
    before = internal_errors.counts().get("probe", 0)
    finisher.later(lambda: 1 / 0)
    finisher.later(lambda: done.append(True))
    finisher.flush()
    assert (done, internal_errors.counts()["probe"] - before) == ([True], 1)


def test_queueing_in_the_garbage_collector_takes_no_lock() -> None:
    """A finaliser that runs while its own thread holds a lock that an ending needs does not deadlock."""
    finisher = DeferredEndings()
    finisher.start()
    lock = threading.Lock()
    ended = threading.Event()

    class Stream:
        def __init__(self) -> None:
            self.itself = self  # only the garbage collector can free it

        def __del__(self) -> None:
            finisher.later(ending)

    def ending() -> None:
        with lock:
            ended.set()

    Stream()
    with lock:
        gc.collect()
        assert not ended.is_set()
    assert ended.wait(timeout=120)


def test_a_forked_child_starts_afresh() -> None:
    """What the parent had queued is the parent's to end, and the child gets a thread of its own."""
    finisher = DeferredEndings()
    finisher.start()
    finisher.reset()
    done: list[str] = []
    finisher.later(lambda: done.append(threading.current_thread().name))
    finisher.start()
    finisher.flush()
    assert done == ["claudescope-finisher"]
