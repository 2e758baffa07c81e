"""Circuits that processes share by Redis, and that each process keeps for itself while Redis is away.

One thread of each process talks to Redis, so that a call never waits for more than `PATIENCE`, whatever hangs: the
lookup of the name, the connection or the answer. A Redis that did not answer is left alone, and tried again in the
background.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from claudescope._internal import internal_errors
from claudescope._internal.exceptions import require
from claudescope._internal.fork import renew_in_child, run_in_child
from claudescope._internal.waiting import wait_until
from claudescope.resilience.engine.breaker import Snapshot, lease_of
from claudescope.resilience.engine.health import Message

if TYPE_CHECKING:
    from claudescope.resilience.engine.actions import BreakerState

__all__ = ["PATIENCE", "SharedCircuits"]

PATIENCE: Final = 0.04
"""Longest time in seconds that a call waits for Redis, once: then Redis is left alone for a while. With what a busy
machine adds it stays below 50 ms."""

_PREFIX: Final = "claudescope:1:circuit"
_FIRST_REST: Final = 1.0
_LONGEST_REST: Final = 30.0
_IDLE: Final = 10.0
_MAX_JOBS: Final = 1000
_MIN_TTL: Final = 3600.0
_STATES: Final[dict[bytes, BreakerState]] = {b"closed": "closed", b"half_open": "half_open", b"open": "open"}

_logger = logging.getLogger("claudescope.resilience")
_Then = Callable[["list[Snapshot] | None"], None]


class _Job:
    """Messages for Redis, and its answer.

    Attributes:
        is_done: Whether the answer is there.
        snapshots: The answer; None where there is none.
    """

    __slots__ = ("is_done", "messages", "snapshots", "then")

    def __init__(self, messages: Sequence[Message], then: _Then | None = None) -> None:
        self.messages = messages
        self.then = then
        self.is_done = False
        self.snapshots: list[Snapshot] | None = None


class SharedCircuits:
    """The shared store of `Health`. Thread-safe; works after a fork, under gevent, on asyncio and on trio.

    Args:
        url: URL of the Redis.
        identities: What each target is beyond its name, such as its URL: targets of one name that differ share nothing.
        patience: Longest time in seconds that a call waits.

    Raises:
        MissingExtraError: The package `redis` is missing.
    """

    def __init__(self, url: str, identities: dict[str, str] | None = None, *, patience: float = PATIENCE) -> None:
        require("redis", extra="resilience", feature="share")
        self._url = url
        self._identities = identities or {}
        self._patience = patience
        self._script = files("claudescope.resilience.stores").joinpath("circuit.lua").read_text(encoding="utf-8")
        self._lock = threading.RLock()
        renew_in_child(self, "_lock")
        self._warned = False
        self._begin()
        run_in_child(self, SharedCircuits._begin)

    def _begin(self) -> None:
        """Start anew, without a thread and a connection: a child has neither."""
        self._jobs: deque[_Job] = deque()
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
            self._put(_Job(()))
        return self._answers

    def exchange(self, messages: Sequence[Message]) -> list[Snapshot] | None:
        """Tell Redis, and get a snapshot for each message; None where it doesn't answer in time. Never raises."""
        job = _Job(messages)
        if not self._put(job):
            return None
        if not wait_until(lambda: job.is_done, self._patience):
            self._give_up("it did not answer in time")
        return job.snapshots

    async def exchange_async(self, messages: Sequence[Message]) -> list[Snapshot] | None:
        """As `exchange`, without blocking the event loop."""
        import anyio  # of the SDK; late, as apps without async calls need it nowhere

        job = _Job(messages)
        if not self._put(job):
            return None
        end, pause = time.monotonic() + self._patience, 0.0002
        while not job.is_done:
            if time.monotonic() >= end:
                self._give_up("it did not answer in time")
                break
            await anyio.sleep(pause)
            pause = min(2 * pause, 0.01)
        return job.snapshots

    def tell(self, messages: Sequence[Message], then: _Then) -> None:
        """Tell Redis in the background, and call `then` with its answer in another thread. Never blocks or raises."""
        if not self._put(_Job(messages, then)):
            then(None)

    def _put(self, job: _Job) -> bool:
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

    def _do(self, job: _Job) -> None:
        try:
            if job.messages and not self._answers:
                return
            job.snapshots = self._ask(job.messages)
            self._answers, self._rest = True, _FIRST_REST
        except Exception as error:  # noqa: BLE001 - redis-py raises errors of many kinds, and of sockets
            self._client = None
            # A call that waited for this has given up already: the failure of one job counts once.
            if self._answers or not job.messages:
                self._give_up(type(error).__name__)
        finally:
            job.is_done = True
            if job.then is not None:
                try:
                    job.then(job.snapshots)
                except Exception:  # noqa: BLE001 - the thread has to live on
                    internal_errors.record("resilience")

    def _ask(self, messages: Sequence[Message]) -> list[Snapshot]:
        client = self._connected()
        if not messages:
            client.ping()
            return []
        pipeline = client.pipeline(transaction=False)
        for message in messages:
            pipeline.eval(self._script, 1, self._key(message), *_arguments(message))
        return [_snapshot(answer) for answer in pipeline.execute()]

    def _connected(self) -> Any:
        if self._client is None:
            # Late, as `resilience` works without the package where nothing is shared.
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry

            self._client = redis.Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
                self._url,
                socket_timeout=self._patience,
                socket_connect_timeout=self._patience,
                retry=Retry(NoBackoff(), 0),
                max_connections=1,
            )
        return self._client

    def _key(self, message: Message) -> str:
        identity = self._identities.get(message.target, "")
        return f"{_PREFIX}:{message.target}:{identity}:{message.model or ''}"

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
            _logger.warning("Redis is away (%s). Each process keeps circuits of its own until it is back.", reason)


def _arguments(message: Message) -> list[str | int | float]:
    rule = message.rule
    ttl = max(_MIN_TTL, 4 * (rule.window + rule.cooldown + rule.ramp))
    return [
        message.kind,
        message.epoch,
        message.token,
        message.successes,
        -1 if rule.failures is None else rule.failures,
        -1 if rule.rate is None else rule.rate,
        rule.minimum_calls,
        round(rule.window * 1000),
        round(message.cooldown * 1000),
        round(lease_of(rule) * 1000),
        rule.successes,
        round(ttl * 1000),
    ]


def _snapshot(answer: Any) -> Snapshot:
    state, epoch, blocked, closed, failures, granted = answer
    return Snapshot(
        _STATES[state],
        int(epoch),
        int(blocked) / 1000,
        None if int(closed) < 0 else int(closed) / 1000,
        int(failures),
        bool(granted),
    )
