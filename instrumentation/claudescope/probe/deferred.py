"""Ends calls whose stream was dropped.

A stream is dropped in a finaliser, which may run inside the garbage collector on a thread that holds any lock, so
nothing there may record a metric. The finaliser queues the call's ending here, and a thread of our own runs it.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final, Protocol

from claudescope._internal import internal_errors

__all__ = ["DEFERRED_ENDINGS", "DeferredEndings"]

FLUSH_TIMEOUT: Final = 2.0
"""Seconds that `flush` waits at most for the thread."""


MAX_OPEN: Final = 10_000
"""Open streams that are ended at exit; more than that are a leak of the app's."""


MAX_QUEUED: Final = 10_000
"""Endings that wait for the thread; more than that wait for a sink that hangs."""


class Stream(Protocol):
    """A call whose stream the app reads."""

    def left(self) -> None:
        """The app left it."""

    def disown(self) -> None:
        """It is another process' to end."""


class DeferredEndings:
    """A queue of endings, and the thread that runs them.

    Each call enters the queue once at most. Where a sink hangs and holds the thread, the queue fills to `MAX_QUEUED`;
    what is dropped further is lost, and counted in `claudescope.internal_errors` once the thread goes on.
    """

    def __init__(self) -> None:
        self.reset()

    def in_child(self) -> None:
        """Leave to the parent what a forked child has of it: its open streams, the queue and the thread."""
        for stream in self._open:
            stream.disown()
        self.reset()

    def reset(self) -> None:
        """Start with nothing."""
        self._queue: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lost = 0
        self._open: set[Stream] = set()
        self._lock = threading.Lock()

    def opened(self, stream: Stream) -> None:
        """The app has a stream to read. What is kept of it here does not refer to its response."""
        if len(self._open) < MAX_OPEN:
            self._open.add(stream)

    def closed(self, stream: Stream) -> None:
        """The call of a stream has ended, or that of anything else."""
        self._open.discard(stream)

    def end_open(self) -> None:
        """End the calls whose streams are still open, as the interpreter exits and nobody will read on."""
        self.flush()
        while self._open:
            _run(self._open.pop().left)

    def later(self, ending: Callable[[], object]) -> None:
        """Queue an ending. Safe in a finaliser: `SimpleQueue.put` is reentrant, and no lock is taken."""
        if self._queue.qsize() < MAX_QUEUED:
            self._queue.put(ending)
        else:
            self._lost += 1

    def start(self) -> None:
        """Have the thread run. Called where a stream is made, as a finaliser must not start one."""
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is None:
                # As late as can be: what is registered last runs first, and the exporters' own flush must follow.
                atexit.register(self.end_open)
                thread = threading.Thread(target=self._run, name="claudescope-finisher", daemon=True)
                thread.start()
                self._thread = thread  # not where it can't be started: a flush would wait for it

    def flush(self) -> None:
        """Wait until what is queued now has been run, `FLUSH_TIMEOUT` at most."""
        if self._thread is not None and self._thread is not threading.current_thread():
            done = threading.Event()
            self._queue.put(done.set)
            done.wait(FLUSH_TIMEOUT)
            return
        while True:
            try:
                ending = self._queue.get_nowait()
            except Empty:
                return
            _run(ending)

    def _run(self) -> None:
        queue = self._queue
        while True:
            _run(queue.get())
            while self._lost:
                self._lost -= 1
                internal_errors.record("finisher")


def _run(ending: Callable[[], object]) -> None:
    try:
        ending()
    except Exception:  # noqa: BLE001 - the thread must outlive any fault
        internal_errors.record("probe")


DEFERRED_ENDINGS: Final = DeferredEndings()
"""The process' finisher."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=DEFERRED_ENDINGS.in_child)
