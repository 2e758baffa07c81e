"""Waits for what another thread, greenlet or task does, whatever the waiter itself runs in.

`Waiter` waits in a thread or a greenlet, `AsyncWaiter` in a task of asyncio or trio. Both are woken from anywhere: from
another thread, another event loop, or a finaliser. Each waits once.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import anyio

from claudescope._internal.waiting import wait_until

__all__ = ["AnyWaiter", "AsyncWaiter", "Waiter"]


class AnyWaiter(Protocol):
    """What wakes a waiter needs to know no more."""

    def wake(self) -> bool:
        """Wake it. Returns whether it can still be woken: its event loop may be closed. Never blocks, never raises."""
        ...


class Waiter:
    """Waits in a thread or a greenlet."""

    __slots__ = ("_done", "_lock")

    def __init__(self) -> None:
        self._done = False
        self._lock = _held_by_this_thread()

    def wake(self) -> bool:
        """Wake it. Returns True."""
        if not self._done:
            self._done = True
            if self._lock is not None:
                self._lock.release()
        return True

    def wait(self, timeout: float) -> bool:
        """Wait until it is woken.

        Args:
            timeout: The longest wait in seconds.

        Returns:
            Whether it was woken in time.
        """
        if self._lock is None:
            return wait_until(lambda: self._done, timeout)
        self._lock.acquire(timeout=min(max(timeout, 0.0), threading.TIMEOUT_MAX))
        return self._done


def _held_by_this_thread() -> Any:
    """A lock to wait for; None where it is one of gevent or eventlet, whose greenlets other threads can't wake.

    No child process needs it renewed: only the thread that made it waits for it. An event will not do, as its own lock
    may be held by the thread in which a finaliser wakes it.
    """
    return _acquired(threading.Lock())


def _acquired(lock: Any) -> Any:
    if type(lock).__module__ != "_thread":
        return None
    lock.acquire()
    return lock


class AsyncWaiter:
    """Waits in a task of asyncio or trio. Make it inside of the task."""

    __slots__ = ("_done", "_event", "_wake")

    def __init__(self) -> None:
        self._done = False
        self._event = anyio.Event()
        self._wake: Callable[[], object] = _waker(self._event)

    def wake(self) -> bool:
        """Wake it. Returns whether its event loop still runs."""
        self._done = True
        try:
            self._wake()
        except RuntimeError:  # of asyncio where the loop is closed; trio's is one too
            return False
        return True

    async def wait(self, seconds: float) -> bool:
        """Wait until it is woken.

        Args:
            seconds: The longest wait.

        Returns:
            Whether it was woken in time.
        """
        with anyio.move_on_after(max(seconds, 0.0)):
            await self._event.wait()
        return self._done


def _waker(event: anyio.Event) -> Callable[[], object]:
    """What sets the event from any thread."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        import trio  # the app runs on it, or nobody would wait here

        return partial(trio.lowlevel.current_trio_token().run_sync_soon, event.set)
    return partial(loop.call_soon_threadsafe, event.set)
