"""Ends the wait for a stream that brings nothing: for its first content, and between two events.

The HTTP library's read timeout holds for each piece of the body, and a `ping` is one. So one thread of this process
looks after all streams that are being waited for, and shuts down the connection of one that has brought nothing for too
long. The time in which the app does not read is not counted: a slow consumer is no stall.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Iterator
from typing import TYPE_CHECKING, Any, Final

from claudescope._internal.fork import renew_in_child, run_in_child
from claudescope.resilience.errors import StreamTimeoutError

if TYPE_CHECKING:
    from claudescope.resilience.engine.actions import Timeouts

__all__ = ["Patience", "patience_with"]

_LONGEST_SLEEP: Final = 0.25
_SHORTEST_SLEEP: Final = 0.01
_IDLE: Final = 5.0
"""Seconds without streams after which the thread ends."""


def patience_with(response: Any, timeouts: Timeouts, waited: float) -> Patience | None:
    """How long a response may bring nothing; None where there is no limit.

    Args:
        response: The response.
        timeouts: The limits of its attempt.
        waited: Seconds that it took until here.
    """
    if timeouts.first_token is timeouts.stall is timeouts.whole is None:
        return None
    left = None if timeouts.whole is None else max(timeouts.whole - waited, 0.0)
    return Patience(response, timeouts, waited, left)


class Patience:
    """How long one response may bring nothing.

    Args:
        response: The response.
        timeouts: The limits.
        waited: Seconds that the response itself took, which count for the first content.
        left: Seconds until the deadline of the call; None for no deadline.

    Attributes:
        expired: Why the wait was ended, in words; None while it was not.
    """

    def __init__(self, response: Any, timeouts: Timeouts, waited: float, left: float | None) -> None:
        self._response = response
        self._timeouts = timeouts
        self._first = None if timeouts.first_token is None else max(timeouts.first_token - waited, 0.0)
        self._deadline = None if left is None else time.monotonic() + left
        self._until: float | None = None
        self._why = ""
        self._began = 0.0
        self.expired: str | None = None
        self._is_watched = self._first is not None or timeouts.stall is not None
        if self._is_watched:
            _WATCHER.add(self)

    def next(self, events: Iterator[Any]) -> Any:
        """The next event, within the limits.

        Raises:
            StreamTimeoutError: It came too late.
        """
        self._begin()
        try:
            event = next(events)
        finally:
            self._end()
        if self.expired is not None:
            raise StreamTimeoutError(self.expired)
        return event

    async def anext(self, events: AsyncGenerator[Any, None]) -> Any:
        """As `next`."""
        self._begin()
        try:
            event = await events.__anext__()
        finally:
            self._end()
        if self.expired is not None:
            raise StreamTimeoutError(self.expired)
        return event

    def content(self) -> None:
        """The first content has come."""
        self._first = None

    def _begin(self) -> None:
        now = self._began = time.monotonic()
        limit, why = self._timeouts.stall, f"the stream stalled for {self._timeouts.stall} s"
        if self._first is not None:
            limit, why = self._first, f"no content came within {self._timeouts.first_token:g} s"
        until = None if limit is None else now + limit
        if self._deadline is not None and (until is None or self._deadline < until):
            until, why = self._deadline, "the deadline of the call passed while its stream was read"
        self._why = why
        self._wait_until(until)

    def _end(self) -> None:
        now = time.monotonic()
        until = self._until
        self._wait_until(None)
        if self._first is not None:
            self._first = max(self._first - (now - self._began), 0.0)
        if until is not None and now >= until and self.expired is None:
            self.expired = self._why

    def _wait_until(self, until: float | None) -> None:
        if self._is_watched:
            # So that the connection is not shut down after its reader has returned it to the pool.
            with _WATCHER.lock:
                self._until = until
        else:
            self._until = until

    @property
    def until(self) -> float | None:
        """When the wait under way has to end; None where the app does not wait, or may wait for ever."""
        return self._until

    def expire(self, now: float) -> None:
        """End the wait under way, if its time is over. Never raises."""
        with _WATCHER.lock:
            if self._until is None or now < self._until:
                return
            self.expired = self._why
            self._until = None
            with contextlib.suppress(Exception):
                _shut_down(self._response)


def _shut_down(response: Any) -> None:
    if str(getattr(response, "http_version", "")).startswith("HTTP/2"):
        return  # its connection carries other calls too
    stream = response.extensions.get("network_stream")
    its_socket = None if stream is None else stream.get_extra_info("socket")
    if its_socket is None:
        return
    # A duplicate, as TLS sockets forget their state when they are shut down, and the reader still uses them.
    with socket.socket(fileno=os.dup(its_socket.fileno())) as duplicate:
        duplicate.shutdown(socket.SHUT_RDWR)


class _Watcher:
    """The thread that looks after all streams that are waited for."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        renew_in_child(self, "lock")
        self.reset()

    def reset(self) -> None:
        """Start with nothing."""
        self._waiting: dict[int, weakref.ref[Patience]] = {}
        self._start_token = [True]  # `pop` is atomic: one thread starts the thread, and no other waits for it

    def add(self, patience: Patience) -> None:
        """Look after a stream."""
        key, waiting = id(patience), self._waiting
        waiting[key] = weakref.ref(patience, lambda _: waiting.pop(key, None))
        try:
            self._start_token.pop()
        except IndexError:
            return
        thread = threading.Thread(target=self._run, args=(self._start_token,), name="claudescope-streams", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread can be had: the read timeout of the HTTP library is left
            self._start_token.append(True)

    def _run(self, token: list[bool]) -> None:
        idle_since = time.monotonic()
        while True:
            now = time.monotonic()
            soonest = now + _LONGEST_SLEEP
            waiting = [found for each in list(self._waiting.values()) if (found := each()) is not None]
            patience: Patience | None = None
            for patience in waiting:
                until = patience.until
                if until is not None and now >= until:
                    patience.expire(now)
                elif until is not None:
                    soonest = min(soonest, until)
            if waiting:
                idle_since = now
            elif now - idle_since > _IDLE:
                token.append(True)
                if not self._waiting:
                    return
                try:
                    token.pop()
                except IndexError:
                    return  # a stream that came meanwhile has started another thread
            waiting.clear()
            patience = None
            time.sleep(max(soonest - now, _SHORTEST_SLEEP))


_WATCHER: Final = _Watcher()
run_in_child(_WATCHER, _Watcher.reset)
