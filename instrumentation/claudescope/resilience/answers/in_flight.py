"""Lets equal calls that are under way at once share one answer: one of them asks, the others wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from claudescope._internal.fork import renew_in_child, run_in_child
from claudescope.resilience.waiter import AnyWaiter, AsyncWaiter, Waiter

__all__ = ["InFlight", "Lead"]


class _Follower:
    __slots__ = ("message", "waiter")

    def __init__(self, waiter: AnyWaiter) -> None:
        self.waiter = waiter
        self.message: Mapping[str, Any] | None = None


class Lead:
    """The call that asks for all that have its key. It must end, however it does."""

    __slots__ = ("_calls", "_key", "followers")

    def __init__(self, calls: InFlight | None, key: str) -> None:
        self._calls = calls
        self._key = key
        self.followers: list[_Follower] = []

    def end(self, message: Mapping[str, Any] | None) -> None:
        """Give the answer to those that wait; None if there is none: then the next of them asks. Never raises."""
        calls, self._calls = self._calls, None
        if calls is not None:
            calls.ended(self._key, self, message)


class InFlight:
    """The calls under way, by key. Thread-safe; works after a fork, under gevent, on asyncio and on trio.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._leads: dict[str, Lead] = {}
        renew_in_child(self, "_lock")
        run_in_child(self, InFlight._renew)

    def _renew(self) -> None:
        self._leads.clear()  # the parent's calls give no answer here

    def join(self, key: str, timeout: float) -> Lead | Mapping[str, Any]:
        """Ask for others, or wait for the one that asks.

        Args:
            key: What equal calls have in common.
            timeout: The longest wait in seconds. After that the call asks for itself.

        Returns:
            The answer, or a lead.
        """
        end = self._clock() + timeout
        while True:
            waiter = Waiter()
            lead, follower = self._enter(key, waiter)
            if follower is None:
                return lead
            try:
                woken = waiter.wait(end - self._clock())
            except BaseException:
                self._leave(lead, follower)
                raise
            if follower.message is not None:
                return follower.message
            if not woken:
                self._leave(lead, follower)
                return Lead(None, key)

    async def join_async(self, key: str, seconds: float) -> Lead | Mapping[str, Any]:
        """As `join`, for a task."""
        end = self._clock() + seconds
        while True:
            waiter = AsyncWaiter()
            lead, follower = self._enter(key, waiter)
            if follower is None:
                return lead
            try:
                woken = await waiter.wait(end - self._clock())
            except BaseException:
                self._leave(lead, follower)
                raise
            if follower.message is not None:
                return follower.message
            if not woken:
                self._leave(lead, follower)
                return Lead(None, key)

    def _enter(self, key: str, waiter: AnyWaiter) -> tuple[Lead, _Follower | None]:
        with self._lock:
            lead = self._leads.get(key)
            if lead is None:
                lead = self._leads[key] = Lead(self, key)
                return lead, None
            follower = _Follower(waiter)
            lead.followers.append(follower)
            return lead, follower

    def _leave(self, lead: Lead, follower: _Follower) -> None:
        with self._lock:
            if follower in lead.followers:
                lead.followers.remove(follower)

    def ended(self, key: str, lead: Lead, message: Mapping[str, Any] | None) -> None:
        """A lead ends."""
        with self._lock:
            if self._leads.get(key) is lead:
                del self._leads[key]
            followers, lead.followers = lead.followers, []
        for follower in followers:
            follower.message = message
            follower.waiter.wake()
