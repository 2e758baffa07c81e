"""Waits and locks for code that gevent or eventlet may have patched after claudescope was imported.

Their patches replace what `threading`, `queue`, `time` and `socket` have. What was made or bound before blocks the
whole process where it only should block one greenlet. So everything that blocks is looked up when it is used.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from claudescope._internal.fork import renew_in_child

__all__ = ["PatchableLock", "wait_until"]

_SHORTEST: Final = 0.0002
_LONGEST: Final = 0.01


def wait_until(is_done: Callable[[], bool], timeout: float) -> bool:
    """Wait for what another thread does. It asks again and again, as no event wakes greenlets from any thread.

    Args:
        is_done: Returns whether to stop waiting.
        timeout: The longest wait in seconds.

    Returns:
        Whether it was done in time.
    """
    end = time.monotonic() + timeout
    pause = _SHORTEST
    while not is_done():
        left = end - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST)
    return True


class PatchableLock:
    """A reentrant lock for work in which other greenlets may run, such as starting a thread.

    A plain lock is enough for work that only changes data.
    """

    def __init__(self) -> None:
        self._made_by = threading.RLock
        self._lock = threading.RLock()
        renew_in_child(self, "_lock")

    @contextmanager
    def held(self) -> Generator[None]:
        """Hold the lock."""
        if self._made_by is not threading.RLock:
            self._made_by = threading.RLock
            self._lock = threading.RLock()
        with self._lock:
            yield
