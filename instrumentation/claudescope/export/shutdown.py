"""Delivers pending telemetry at exit, within a timeout.

Covers a normal end, `sys.exit` and exceptions (by `atexit`), children of `multiprocessing` and of Celery's pool (by
their own hooks, as such a child calls `os._exit`), and SIGTERM. The delivery runs in daemon threads, so a backend or a
lock that hangs does not block the exit beyond the timeout.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Final

from claudescope._internal import internal_errors
from claudescope._internal.waiting import wait_until

__all__ = ["ExitHandler"]

_log: Final = logging.getLogger("claudescope")


def _hook_multiprocessing(util: Any, handler: ExitHandler) -> None:
    """Deliver in children of `multiprocessing`, after all finalizers of the app.

    A child drops finalizers that were registered before its start, and then runs the hooks for after a fork. So this
    registers one for the current process and one for its future children.
    """

    def register(handler: ExitHandler) -> None:
        util.Finalize(None, handler.deliver, exitpriority=-100)

    register(handler)
    util.register_after_fork(handler, register)


def _hook_celery(signals: Any, handler: ExitHandler) -> None:
    """Deliver in the processes of Celery's pool, which call `os._exit` after this signal."""

    def deliver(**event: object) -> None:
        del event
        handler.deliver()

    signals.worker_process_shutdown.connect(deliver, weak=False, dispatch_uid="claudescope")


class _Worker:
    """A thread that waits for work. Created early, as Python 3.12 starts no thread at exit."""

    def __init__(self, name: str) -> None:
        self._work: queue.SimpleQueue[tuple[Callable[[], object], list[None]]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def run(self, work: Callable[[], object]) -> list[None]:
        """Run `work` in the thread. Returns a list that is empty until it has ended."""
        done: list[None] = []
        self._work.put((work, done))
        return done

    def _run(self) -> None:
        while True:
            work, done = self._work.get()
            try:
                work()
            except Exception:  # noqa: BLE001 - telemetry never raises into the app
                internal_errors.record("export")
            done.append(None)


class ExitHandler:
    """Runs jobs in parallel within a timeout: on demand, and at exit.

    Args:
        jobs: The jobs by name. Each returns once it has delivered its telemetry.
        timeout: The longest time in seconds that an exit waits.
    """

    def __init__(self, jobs: Sequence[tuple[str, Callable[[], object]]], timeout: float) -> None:
        self._jobs = tuple(jobs)
        self._timeout = timeout
        self._workers: list[_Worker] = []
        self._pid = 0
        self._done = False

    def install(self) -> None:
        """Deliver at the exit of this process. Must be called again in a forked child."""
        if self._pid == os.getpid() or not self._jobs:
            return
        first = not self._pid
        self._pid = os.getpid()
        self._done = False
        self._workers = [_Worker(f"claudescope-{name}") for name, _ in self._jobs]
        if first:
            atexit.register(self.deliver)
        for module, hook in (("multiprocessing.util", _hook_multiprocessing), ("celery.signals", _hook_celery)):
            if module in sys.modules:
                hook(sys.modules[module], self)
        self._install_sigterm_handler()

    def cancel(self) -> None:
        """Do nothing at exit."""
        self._done = True

    def run(self, timeout: float) -> bool:
        """Run all jobs in parallel.

        Args:
            timeout: The longest time to wait, in seconds.

        Returns:
            Whether all of them ended in time.
        """
        if self._pid != os.getpid():
            return True  # a forked child that has made no call
        end = time.monotonic() + timeout
        started = [worker.run(job) for worker, (_, job) in zip(self._workers, self._jobs, strict=True)]
        return wait_until(lambda: all(started), end - time.monotonic())

    def deliver(self) -> None:
        """Run all jobs within the timeout. Does nothing the second time. Never raises."""
        if self._done or self._pid != os.getpid():
            return
        self._done = True
        try:
            delivered = self.run(self._timeout)
        except Exception:  # noqa: BLE001 - such as gevent's in a signal handler that runs in its hub
            internal_errors.record("export")
            delivered = False
        if not delivered:
            _log.warning(
                "claudescope: telemetry of the last seconds could not be delivered within %g s and is lost",
                self._timeout,
            )

    def _install_sigterm_handler(self) -> None:
        """Deliver before SIGTERM ends the process, unless the app handles SIGTERM."""
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
            return

        def end(number: int, frame: FrameType | None) -> None:
            del frame
            self.deliver()
            # End by the signal, so that the parent process sees the usual exit status.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

        with contextlib.suppress(ValueError):  # a subinterpreter
            signal.signal(signal.SIGTERM, end)
