"""Talks to Redis without ever holding a call up for longer than `PATIENCE`.

One thread of each process talks to each Redis, whatever hangs: the lookup of the name, the connection or the answer. A
Redis that did not answer is left alone, and tried again in the background. All that a policy shares goes through it, so
that a frozen Redis is noticed once.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from claudescope._internal import internal_errors
from claudescope._internal.exceptions import require
from claudescope._internal.fork import renew_in_child, run_in_child
from claudescope._internal.waiting import wait_until

__all__ = ["PATIENCE", "RedisWorker", "worker_of"]

PATIENCE: Final = 0.04
"""Longest time in seconds that a call waits for Redis, once: then Redis is left alone for a while. With what a busy
machine adds it stays below 50 ms."""

_FIRST_REST: Final = 1.0
_LONGEST_REST: Final = 30.0
_IDLE: Final = 10.0
_MAX_JOBS: Final = 1000

_logger = logging.getLogger("claudescope.resilience")
_T = TypeVar("_T")
_Ask = Callable[[Any], _T]
"""Asks a `redis.Redis`. It may raise anything."""


class _Job(Generic[_T]):
    """A question for Redis, and its answer.

    Attributes:
        ask: What is asked; None to see whether Redis answers.
        is_done: Whether the answer is there.
        answer: The answer; None where there is none.
    """

    __slots__ = ("answer", "ask", "is_done", "then")

    def __init__(self, ask: _Ask[_T] | None, then: Callable[[_T | None], None] | None = None) -> None:
        self.ask = ask
        self.then = then
        self.is_done = False
        self.answer: _T | None = None


class RedisWorker:
    """Asks a Redis in a thread of its own. Thread-safe; works after a fork, under gevent, on asyncio and on trio.

    Args:
        url: URL of the Redis.
        patience: Longest time in seconds that a call waits.

    Raises:
        MissingExtraError: The package `redis` is missing.
    """

    def __init__(self, url: str, *, patience: float = PATIENCE) -> None:
        require("redis", extra="resilience", feature="share")
        self._url = url
        self._patience = patience
        self._lock = threading.RLock()
        renew_in_child(self, "_lock")
        self._warned = False
        self._begin()
        run_in_child(self, RedisWorker._begin)

    def _begin(self) -> None:
        """Start anew, without a thread and a connection: a child has neither."""
        self._jobs: deque[_Job[Any]] = deque()
        self._wake = threading.Event()
        self._worker: threading.Thread | None = None
        self._client: Any = None
        self._answers = True
        self._rest = _FIRST_REST
        self._try_at = 0.0

    def available(self) -> bool:
        """Whether Redis answered the last time, or was never asked. Never blocks.

        Where it didn't answer, this tries it again in the background from time to time.
        """
        if not self._answers and time.monotonic() >= self._try_at:
            with self._lock:
                self._try_at = time.monotonic() + self._rest
            self._put(_Job[None](None))
        return self._answers

    def run(self, ask: _Ask[_T]) -> _T | None:
        """Ask Redis; None where it doesn't answer in time. Never raises."""
        job = _Job(ask)
        if not self._put(job):
            return None
        if not wait_until(lambda: job.is_done, self._patience):
            self._give_up("it did not answer in time")
        return job.answer

    async def run_async(self, ask: _Ask[_T]) -> _T | None:
        """As `run`, without blocking the event loop."""
        import anyio  # of the SDK; late, as apps without async calls need it nowhere

        job = _Job(ask)
        if not self._put(job):
            return None
        end, pause = time.monotonic() + self._patience, 0.0002
        while not job.is_done:
            if time.monotonic() >= end:
                self._give_up("it did not answer in time")
                break
            await anyio.sleep(pause)
            pause = min(2 * pause, 0.01)
        return job.answer

    def tell(self, ask: _Ask[_T], then: Callable[[_T | None], None] | None = None) -> bool:
        """Ask Redis in the background, and call `then` with the answer in another thread. Never blocks or raises.

        Returns:
            Whether it will be asked. If not, `then` has been called with None.
        """
        taken = self._put(_Job(ask, then))
        if not taken and then is not None:
            then(None)
        return taken

    def _put(self, job: _Job[Any]) -> bool:
        """Give the worker a job. False where it has too many, or no thread can be started."""
        try:
            with self._lock:
                if len(self._jobs) >= _MAX_JOBS:
                    return False
                self._jobs.append(job)
                self._wake.set()
                if self._worker is None or not self._worker.is_alive():
                    self._worker = threading.Thread(target=self._work, name="claudescope-redis", daemon=True)
                    self._worker.start()
        except RuntimeError:  # the interpreter is shutting down, or there are too many threads
            internal_errors.record("resilience")
            return False
        return True

    def _work(self) -> None:
        """Do jobs, and end when there was none for a while."""
        me, waited = threading.current_thread(), False
        while True:
            with self._lock:
                if self._worker is not me:
                    return
                job = self._jobs.popleft() if self._jobs else None
                if job is None and waited:
                    self._worker = None
                    return
            if job is None:
                waited = not self._wake.wait(_IDLE)
                self._wake.clear()
            else:
                self._do(job)
                waited = False

    def _do(self, job: _Job[Any]) -> None:
        try:
            if job.ask is not None and not self._answers:
                return
            client = self._connected()
            job.answer = client.ping() if job.ask is None else job.ask(client)
            self._answers, self._rest = True, _FIRST_REST
        except Exception as error:  # noqa: BLE001 - redis-py raises errors of many kinds, and of sockets
            self._client = None
            # A call that waited for this has given up already: the failure of one job counts once.
            if self._answers or job.ask is None:
                self._give_up(type(error).__name__)
        finally:
            job.is_done = True
            if job.then is not None:
                try:
                    job.then(job.answer)
                except Exception:  # noqa: BLE001 - the thread has to live on
                    internal_errors.record("resilience")

    def _connected(self) -> Any:
        if self._client is None:
            # Late, as `resilience` works without the package where nothing is shared.
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry

            made: Any = redis.Redis
            self._client = made.from_url(
                self._url,
                socket_timeout=self._patience,
                socket_connect_timeout=self._patience,
                retry=Retry(NoBackoff(), 0),
                max_connections=1,
            )
        return self._client

    def _give_up(self, reason: str) -> None:
        """Leave Redis alone for a while."""
        with self._lock:
            was_there, self._answers = self._answers, False
            self._try_at = time.monotonic() + self._rest * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load
            self._rest = min(2 * self._rest, _LONGEST_REST)
            waiting, self._jobs = self._jobs, deque()
        for job in waiting:
            job.is_done = True
            if job.then is not None:
                job.then(None)
        if was_there and not self._warned:
            self._warned = True
            _logger.warning("Redis is away (%s). Each process keeps a state of its own until it is back.", reason)


_workers: dict[str, RedisWorker] = {}


def worker_of(url: str) -> RedisWorker:
    """The worker of a Redis: one in each process, however many things are shared there.

    Raises:
        MissingExtraError: The package `redis` is missing.
    """
    found = _workers.get(url)
    return _workers.setdefault(url, RedisWorker(url)) if found is None else found
