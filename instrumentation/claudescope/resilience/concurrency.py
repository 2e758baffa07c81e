"""Limits how many calls are under way at once, for each target and workflow: first come, first served.

A call that finds no place waits for one, in a thread, a greenlet or a task of any event loop, no longer than a timeout.
Places are handed over directly to whoever waits longest, so that nobody overtakes.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from functools import partial
from typing import Final

from claudescope._internal.call_events import Queued, tell
from claudescope._internal.fork import renew_in_child, run_in_child
from claudescope.resilience.steps import Refused
from claudescope.resilience.waiter import AnyWaiter, AsyncWaiter, Waiter

__all__ = ["FREE", "Gate", "Gates", "Place"]

_MOST_GATES: Final = 1000
_NO_TIMEOUT: Final = 3600.0


class Place:
    """A place among the calls that may be under way.

    Attributes:
        waited: Seconds that the call waited for it.
    """

    __slots__ = ("_gate", "_generation", "waited")

    def __init__(self, gate: Gate | None, generation: int, waited: float) -> None:
        self._gate = gate
        self._generation = generation
        self.waited = waited

    def release(self) -> None:
        """Give it back. May be called again, from any thread, and from a finaliser. Never raises."""
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.give_back(self._generation)


FREE: Final = Place(None, 0, 0.0)
"""The place of a call without a limit."""


class _Ticket:
    """One that waits: granted by whoever gives a place back, gone once it no longer waits."""

    __slots__ = ("gone", "granted", "waiter")

    def __init__(self, waiter: AnyWaiter) -> None:
        self.waiter = waiter
        self.granted = False
        self.gone = False


class Gate:
    """A number of places.

    Args:
        most: How many.
        clock: Seconds, monotonic.
    """

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._taken = 0
        self._queue: deque[_Ticket] = deque()
        self._returned: deque[int] = deque()
        self._generation = 0
        self._pace: float | None = None  # seconds from one place that is handed over to the next
        self._handed_at: float | None = None
        renew_in_child(self, "_lock")
        run_in_child(self, Gate._renew)

    def _renew(self) -> None:
        # Calls of the parent are not under way here, and its threads do not wait here.
        self._taken = 0
        self._queue.clear()
        self._returned.clear()
        self._generation += 1

    @property
    def taken(self) -> int:
        """How many places are taken."""
        return self._taken

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._queue)

    def acquire(self, timeout: float) -> Place | None:
        """Take a place.

        Args:
            timeout: The longest wait in seconds.

        Returns:
            The place; None if there was none in time.
        """
        place = self._take_free()
        if place is not None:
            return place
        started = self._clock()
        waiter = Waiter()
        ticket = self._queue_up(waiter)
        try:
            if not ticket.granted:
                waiter.wait(timeout)
        except BaseException:  # gevent's timeout, or a KeyboardInterrupt
            self._give_up(ticket)
            raise
        return self._outcome(ticket, started)

    async def acquire_async(self, timeout: float) -> Place | None:
        """As `acquire`, for a task. If it is cancelled while it waits, it takes no place."""
        place = self._take_free()
        if place is not None:
            return place
        started = self._clock()
        waiter = AsyncWaiter()
        ticket = self._queue_up(waiter)
        try:
            if not ticket.granted:
                await waiter.wait(timeout)
        except BaseException:
            self._give_up(ticket)
            raise
        return self._outcome(ticket, started)

    def _take_free(self) -> Place | None:
        with self._lock:
            free = self._taken < self.most and not self._queue
            if free:
                self._taken += 1
        self._hand_over()
        return Place(self, self._generation, 0.0) if free else None

    def _queue_up(self, waiter: AnyWaiter) -> _Ticket:
        ticket = _Ticket(waiter)
        with self._lock:
            if self._taken < self.most and not self._queue:
                self._taken += 1
                ticket.granted = True
            else:
                self._queue.append(ticket)
        self._hand_over()
        if not ticket.granted:
            tell(Queued("concurrency", partial(self.place_of, ticket), partial(self._expected, ticket)))
        return ticket

    def place_of(self, ticket: _Ticket) -> int:
        """The place of one that waits, from 1; 0 once it no longer waits."""
        with self._lock:
            found = next((place for place, other in enumerate(self._queue, 1) if other is ticket), 0)
        self._hand_over()
        return found

    def _expected(self, ticket: _Ticket) -> float | None:
        """Seconds until it may be its turn, as places were handed over lately; None where none was."""
        place, pace = self.place_of(ticket), self._pace
        return None if pace is None or not place else place * pace

    def _outcome(self, ticket: _Ticket, started: float) -> Place | None:
        with self._lock:
            if not ticket.granted:
                ticket.gone = True
                if ticket in self._queue:
                    self._queue.remove(ticket)
        self._hand_over()
        waited = max(self._clock() - started, 0.0)
        return Place(self, self._generation, waited) if ticket.granted else None

    def _give_up(self, ticket: _Ticket) -> None:
        with self._lock:
            ticket.gone = True
            if not ticket.granted and ticket in self._queue:
                self._queue.remove(ticket)
        if ticket.granted:
            self.give_back(self._generation)
        self._hand_over()

    def give_back(self, generation: int) -> None:
        """Give a place back. From finalisers too: it takes the lock only if that is free."""
        self._returned.append(generation)
        self._hand_over()

    def _hand_over(self) -> None:
        """Hand returned places to those that wait.

        A finaliser may run in the middle of any of these methods, in the thread that holds the lock. So nobody waits
        for the lock to give a place back: whoever holds it looks again after it has let go.
        """
        while self._returned and self._lock.acquire(blocking=False):
            try:
                woken = self._settle()
            finally:
                self._lock.release()
            for ticket in woken:
                if not ticket.waiter.wake():  # its event loop is closed, so it will never give the place back
                    ticket.granted, ticket.gone = False, True
                    self._returned.append(self._generation)

    def _settle(self) -> list[_Ticket]:
        while self._returned:
            if self._returned.popleft() == self._generation:
                self._taken = max(self._taken - 1, 0)
        if not self._queue:
            self._handed_at = None
        woken: list[_Ticket] = []
        while self._queue and self._taken < self.most:
            ticket = self._queue.popleft()
            if not ticket.gone:
                ticket.granted = True
                self._taken += 1
                woken.append(ticket)
        if woken:
            now, before = self._clock(), self._handed_at
            if before is not None:
                took = (now - before) / len(woken)
                self._pace = took if self._pace is None else 0.8 * self._pace + 0.2 * took
            self._handed_at = now
        return woken


class Gates:
    """The gates of all targets and workflows. Gates that nobody uses go when there are many.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._gates: OrderedDict[tuple[str, str | None], Gate] = OrderedDict()
        renew_in_child(self, "_lock")

    def gate(self, target: str, workflow: str | None, most: int) -> Gate:
        """The gate of a target and a workflow. If the number of places changes, calls under way keep theirs."""
        key = (target, workflow)
        with self._lock:
            found = self._gates.get(key)
            if found is None:
                found = self._gates[key] = Gate(most, clock=self._clock)
                self._forget_unused()
            elif found.most != most:
                found.most = most
            self._gates.move_to_end(key)
        return found

    def _forget_unused(self) -> None:
        if len(self._gates) > _MOST_GATES:
            for key, gate in list(self._gates.items()):
                if gate.taken == 0 and gate.waiting == 0 and len(self._gates) > _MOST_GATES // 2:
                    del self._gates[key]

    def acquire(self, target: str, workflow: str | None, most: int, timeout: float | None) -> Place:
        """Take a place.

        Raises:
            Refused: There was none in time.
        """
        limit = _NO_TIMEOUT if timeout is None else timeout
        place = self.gate(target, workflow, most).acquire(limit)
        if place is None:
            raise _late(target, workflow, most, limit)
        return place

    async def acquire_async(self, target: str, workflow: str | None, most: int, timeout: float | None) -> Place:
        """As `acquire`, for a task."""
        limit = _NO_TIMEOUT if timeout is None else timeout
        place = await self.gate(target, workflow, most).acquire_async(limit)
        if place is None:
            raise _late(target, workflow, most, limit)
        return place


def _late(target: str, workflow: str | None, most: int, timeout: float) -> Refused:
    whose = "" if workflow is None else f" of the workflow {workflow!r}"
    detail = (
        f"{most} calls{whose} are under way on the target {target!r}, and none ended within {timeout:g} s. "
        "Raise `concurrency.max`, or `concurrency.queue_timeout`, or make fewer calls at once"
    )
    return Refused("queue_timeout", "pool_timeout_error", detail)
