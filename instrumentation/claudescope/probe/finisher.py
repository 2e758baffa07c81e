"""Ends calls whose stream was dropped.

A stream is dropped in a finaliser, which may run inside the garbage collector on a thread that holds any lock, so
nothing there may record a metric. The finaliser queues the call's ending here, and a thread of our own runs it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final

from claudescope import faults

__all__ = ["FINISHER", "Finisher"]

FLUSH_TIMEOUT: Final = 2.0
"""Seconds that `flush` waits at most for the thread."""


class Finisher:
    """A queue of endings, and the thread that runs them.

    The queue is bounded by the streams that the app had open: each call enters it once at most.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the queue and the thread, as a forked child must: its parent still has both."""
        self._queue: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def later(self, ending: Callable[[], object]) -> None:
        """Queue an ending. Safe in a finaliser: `SimpleQueue.put` is reentrant."""
        self._queue.put(ending)

    def start(self) -> None:
        """Have the thread run. Called where a stream is made, as a finaliser must not start one."""
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="claudescope-finisher", daemon=True)
                self._thread.start()

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


def _run(ending: Callable[[], object]) -> None:
    try:
        ending()
    except Exception:  # noqa: BLE001 - the thread must outlive any fault
        faults.note("probe")


FINISHER: Final = Finisher()
"""The process' finisher."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=FINISHER.reset)
