"""Dropped calls are ended by a thread of ours, never inside the finaliser."""

from __future__ import annotations

import atexit
import gc
import threading
from collections.abc import Callable
from functools import partial

import pytest

from claudescope._internal import internal_errors
from claudescope.probe.deferred import DeferredEndings


def test_flush_runs_what_is_queued() -> None:
    """Without a thread, flushing runs the endings where it is called."""
    endings = DeferredEndings()
    done: list[int] = []
    endings.later(lambda: done.append(threading.get_ident()))
    endings.flush()
    assert done == [threading.get_ident()]


def test_the_thread_runs_them_in_order() -> None:
    """With the thread, endings run there, in order, and flushing waits for them."""
    endings = DeferredEndings()
    endings.start()
    endings.start()
    done: list[tuple[int, bool]] = []

    def ending(number: int) -> Callable[[], None]:
        return lambda: done.append((number, threading.current_thread().name == "claudescope-deferred-endings"))

    for number in range(50):
        endings.later(ending(number))
    endings.flush()
    assert done == [(number, True) for number in range(50)]


def test_a_fault_does_not_stop_it() -> None:
    """An ending that raises is counted, and the next one still runs."""
    endings = DeferredEndings()
    done: list[bool] = []
    before = internal_errors.counts().get("probe", 0)
    endings.later(lambda: 1 / 0)
    endings.later(lambda: done.append(True))
    endings.flush()
    assert (done, internal_errors.counts()["probe"] - before) == ([True], 1)


def test_queueing_in_the_garbage_collector_takes_no_lock() -> None:
    """A finaliser that runs while its own thread holds a lock that an ending needs does not deadlock."""
    endings = DeferredEndings()
    endings.start()
    lock = threading.Lock()
    ended = threading.Event()

    class Stream:
        def __init__(self) -> None:
            self.itself = self  # only the garbage collector can free it

        def __del__(self) -> None:
            endings.later(ending)

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
    endings = DeferredEndings()
    endings.start()
    endings.reset()
    done: list[str] = []
    endings.later(lambda: done.append(threading.current_thread().name))
    endings.start()
    endings.flush()
    assert done == ["claudescope-deferred-endings"]


def test_nothing_grows_where_no_thread_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next stream runs what is queued, and nothing is registered for the exit again."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    endings = DeferredEndings()
    done: list[int] = []
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        endings.start()
        registered = atexit._ncallbacks()
        for number in range(100):
            endings.later(partial(done.append, number))
            endings.start()
    assert done == list(range(100))
    assert atexit._ncallbacks() == registered
    endings.start()  # a thread can be had again
    endings.later(partial(done.append, 100))
    endings.flush()
    assert done[-1] == 100
