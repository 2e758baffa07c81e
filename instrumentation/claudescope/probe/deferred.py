"""Ends the calls whose streams the app dropped.

A dropped stream is noticed in a finaliser, which may run inside the garbage collector on a thread that holds any lock.
Recording a metric there could deadlock, so the finaliser queues the end of the call here and a thread runs it.
"""

from __future__ import annotations

import atexit
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from claudescope._internal import internal_errors
from claudescope._internal.fork import run_in_child
from claudescope._internal.waiting import wait_until

if TYPE_CHECKING:
    from typing import TypeAlias

    from claudescope.probe.interfaces import OpenCall

    _Queue: TypeAlias = queue.SimpleQueue[Callable[[], object]]

__all__ = ["DEFERRED_ENDINGS", "DeferredEndings"]

FLUSH_TIMEOUT: Final = 2.0
"""Seconds that `flush` waits at most for the thread."""


MAX_OPEN: Final = 10_000
"""Open streams that are ended at exit. An app that has more open leaks them."""


MAX_QUEUED: Final = 10_000
"""Ends that wait for the thread. More than that wait only where a sink hangs."""


class DeferredEndings:
    """A queue of ends, and the thread that runs them.

    A call is queued once at most. Where a sink hangs and blocks the thread, the queue fills to `MAX_QUEUED`. Further
    ends are lost, and counted in `claudescope.internal_errors` when the thread runs again.
    """

    def __init__(self) -> None:
        self._ends_at_exit = False
        self.reset()

    def detach_after_fork(self) -> None:
        """Leave the open streams, the queue and the thread to the parent process: this process is a forked child."""
        for call in self._open:
            call.detach_after_fork()
        self.reset()

    def reset(self) -> None:
        """Start with nothing."""
        self._queue: _Queue = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lost = 0
        self._open: set[OpenCall] = set()
        self._start_token = [True]  # `pop` is atomic: one thread starts the thread, and no other waits for it

    def opened(self, call: OpenCall) -> None:
        """The app has a stream to read: end its call at exit, unless it has ended before."""
        if len(self._open) < MAX_OPEN:
            self._open.add(call)

    def closed(self, call: OpenCall) -> None:
        """A call has ended."""
        self._open.discard(call)

    def end_open(self) -> None:
        """End the calls whose streams are still open when the interpreter exits."""
        self.flush()
        while self._open:
            _run(self._open.pop().closed_early)

    def later(self, ending: Callable[[], object]) -> None:
        """Queue the end of a call. Safe in a finaliser: `SimpleQueue.put` is reentrant, and no lock is taken."""
        if self._queue.qsize() < MAX_QUEUED:
            self._queue.put(ending)
        else:
            self._lost += 1

    def start(self) -> None:
        """Start the thread, once. Called where a stream is made, as a finaliser must not start a thread.

        Where no thread can be had, this runs what is queued, so that the queue does not grow with every stream.
        """
        if self._thread is not None:
            return
        try:
            self._start_token.pop()
        except IndexError:
            return
        if not self._ends_at_exit:
            # Registered late: what is registered last runs first, and the exporters must flush after it.
            atexit.register(self.end_open)
            self._ends_at_exit = True
        # Made now, when gevent or eventlet may have replaced it. What is queued meanwhile is moved by the thread.
        earlier, self._queue = self._queue, queue.SimpleQueue()
        thread = threading.Thread(
            target=self._run, args=(earlier, self._queue), name="claudescope-deferred-endings", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            self._start_token.append(True)
            _drain(earlier)
            _drain(self._queue)
        else:
            self._thread = thread  # after `start`: a flush would wait for a thread that never ran

    def flush(self) -> None:
        """Wait until everything that is queued now has run, `FLUSH_TIMEOUT` at most."""
        if self._thread is not None and self._thread is not threading.current_thread():
            done: list[None] = []
            self._queue.put(lambda: done.append(None))
            wait_until(lambda: bool(done), FLUSH_TIMEOUT)
        else:
            _drain(self._queue)

    def _run(self, earlier: _Queue, endings: _Queue) -> None:
        _drain(earlier)
        while True:
            _run(endings.get())
            while self._lost:
                self._lost -= 1
                internal_errors.record("deferred_endings")


def _drain(endings: _Queue) -> None:
    while True:
        try:
            ending = endings.get_nowait()
        except queue.Empty:
            return
        _run(ending)


def _run(ending: Callable[[], object]) -> None:
    try:
        ending()
    except Exception:  # noqa: BLE001 - the thread must survive any internal error
        internal_errors.record("probe")


DEFERRED_ENDINGS: Final = DeferredEndings()
"""The queue of this process."""
run_in_child(DEFERRED_ENDINGS, DeferredEndings.detach_after_fork)
