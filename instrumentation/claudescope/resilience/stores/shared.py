"""Circuits that processes share by Redis, and that each process keeps for itself while Redis is away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from claudescope.resilience.engine.breaker import Snapshot, lease_of
from claudescope.resilience.engine.health import Message
from claudescope.resilience.stores.worker import PATIENCE, RedisWorker, worker_of

if TYPE_CHECKING:
    from claudescope.resilience.engine.actions import BreakerState

__all__ = ["PATIENCE", "SharedCircuits"]

_PREFIX: Final = "claudescope:1:circuit"
_MIN_TTL: Final = 3600.0
_STATES: Final[dict[bytes, BreakerState]] = {b"closed": "closed", b"half_open": "half_open", b"open": "open"}

_Then = Callable[["list[Snapshot] | None"], None]


class SharedCircuits:
    """The shared store of `Health`. Thread-safe; works after a fork, under gevent, on asyncio and on trio.

    Args:
        url: URL of the Redis.
        identities: What each target is beyond its name, such as its URL: targets of one name that differ share nothing.
        patience: Longest time in seconds that a call waits; None for `PATIENCE`, and the process' own connection.

    Raises:
        MissingExtraError: The package `redis` is missing.
    """

    def __init__(self, url: str, identities: dict[str, str] | None = None, *, patience: float | None = None) -> None:
        self._worker = worker_of(url) if patience is None else RedisWorker(url, patience=patience)
        self._identities = identities or {}
        self._script = files("claudescope.resilience.stores").joinpath("circuit.lua").read_text(encoding="utf-8")

    def available(self) -> bool:
        """Whether Redis answered the last time, or was never asked. Never blocks.

        Where it didn't answer, this tries it again in the background from time to time.
        """
        return self._worker.available()

    def exchange(self, messages: Sequence[Message]) -> list[Snapshot] | None:
        """Tell Redis, and get a snapshot for each message; None where it doesn't answer in time. Never raises."""
        return self._worker.run(self._asking(messages))

    async def exchange_async(self, messages: Sequence[Message]) -> list[Snapshot] | None:
        """As `exchange`, without blocking the event loop."""
        return await self._worker.run_async(self._asking(messages))

    def tell(self, messages: Sequence[Message], then: _Then) -> None:
        """Tell Redis in the background, and call `then` with its answer in another thread. Never blocks or raises."""
        self._worker.tell(self._asking(messages), then)

    def _asking(self, messages: Sequence[Message]) -> Callable[[Any], list[Snapshot]]:
        def ask(client: Any) -> list[Snapshot]:
            pipeline = client.pipeline(transaction=False)
            for message in messages:
                pipeline.eval(self._script, 1, self._key(message), *_arguments(message))
            return [_snapshot(answer) for answer in pipeline.execute()]

        return ask

    def _key(self, message: Message) -> str:
        identity = self._identities.get(message.target, "")
        return f"{_PREFIX}:{message.target}:{identity}:{message.model or ''}"


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
