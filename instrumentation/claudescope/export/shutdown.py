"""Delivers what is left as a process ends, and never holds its end up for longer than a bound.

A process ends by leaving its main module, by `sys.exit`, by an exception (`atexit`), as a child of `multiprocessing`
or of Celery's pool (by their own hooks, as such a child calls `os._exit`), or by SIGTERM. Whatever hangs while it
delivers, be it a backend or a lock, hangs in a daemon thread, and nobody waits for that longer than the bound.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from types import FrameType
from typing import Any, Final

from claudescope._internal import internal_errors

__all__ = ["Leaving"]

_log: Final = logging.getLogger("claudescope")


def _hook_multiprocessing(util: Any, leaving: Leaving) -> None:
    """Have a child deliver after all finalizers of the app, now or, where it is yet to begin, from its beginning on.

    A child drops what was registered before it began, and then runs what was registered for after a fork.
    """

    def register(leaving: Leaving) -> None:
        util.Finalize(None, leaving.leave, exitpriority=-100)

    register(leaving)
    util.register_after_fork(leaving, register)


def _hook_celery(signals: Any, leaving: Leaving) -> None:
    """Have a process of Celery's pool deliver: it ends by `os._exit`, after this signal."""

    def leave(**event: object) -> None:
        del event
        leaving.leave()

    signals.worker_process_shutdown.connect(leave, weak=False, dispatch_uid="claudescope")


class _Worker:
    """A thread that waits for work. Made early: Python starts none at its end (3.12)."""

    def __init__(self, name: str) -> None:
        self._work: SimpleQueue[tuple[Callable[[], object], threading.Event]] = SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def run(self, work: Callable[[], object]) -> threading.Event:
        """Run `work`, and set what is returned once it has ended."""
        done = threading.Event()
        self._work.put((work, done))
        return done

    def _run(self) -> None:
        while True:
            work, done = self._work.get()
            try:
                work()
            except Exception:  # noqa: BLE001 - telemetry never raises into the app
                internal_errors.record("export")
            done.set()


class Leaving:
    """Runs jobs side by side within a bound: on demand, and when the process ends.

    Args:
        jobs: What to run, by name; each returns when what it had is delivered.
        timeout: Seconds that the end of the process waits at most.
    """

    def __init__(self, jobs: Sequence[tuple[str, Callable[[], object]]], timeout: float) -> None:
        self._jobs = tuple(jobs)
        self._timeout = timeout
        self._workers: list[_Worker] = []
        self._pid = 0
        self._left = False

    def watch(self) -> None:
        """Be ready for the end of this process. Called again in a forked child."""
        if self._pid == os.getpid() or not self._jobs:
            return
        first = not self._pid
        self._pid = os.getpid()
        self._left = False
        self._workers = [_Worker(f"claudescope-{name}") for name, _ in self._jobs]
        if first:
            atexit.register(self.leave)
        for module, hook in (("multiprocessing.util", _hook_multiprocessing), ("celery.signals", _hook_celery)):
            if module in sys.modules:
                hook(sys.modules[module], self)
        self._watch_sigterm()

    def forget(self) -> None:
        """Neither wait nor deliver any more."""
        self._left = True

    def run(self, timeout: float) -> bool:
        """Run all jobs side by side.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether all of them ended in time.
        """
        if self._pid != os.getpid():
            return True  # nothing has been sent from here
        end = time.monotonic() + timeout
        started = [worker.run(job) for worker, (_, job) in zip(self._workers, self._jobs, strict=True)]
        return all(done.wait(max(0.0, end - time.monotonic())) for done in started)

    def leave(self) -> None:
        """Deliver what is left, within the bound. Does nothing the second time. Never raises."""
        if self._left or self._pid != os.getpid():
            return
        self._left = True
        if not self.run(self._timeout):
            _log.warning(
                "claudescope: the telemetry of the last seconds could not be delivered within %g s, and is lost",
                self._timeout,
            )

    def _watch_sigterm(self) -> None:
        """Deliver before SIGTERM ends the process, where the app leaves that to the system."""
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
            return

        def end(number: int, frame: FrameType | None) -> None:
            del frame
            self.leave()
            # As it would have ended: killed by the signal, so that who waits for it sees just that.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

        with contextlib.suppress(ValueError):  # a subinterpreter
            signal.signal(signal.SIGTERM, end)
