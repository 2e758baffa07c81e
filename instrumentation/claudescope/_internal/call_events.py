"""What happens to calls while they run, told to whoever watches them: `claudescope.progress` does.

The probe and the drivers of policies tell; a context variable says whether anybody listens. Without a watcher nothing
is made, and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from claudescope._internal import internal_errors

__all__ = ["WATCHER", "CallEvent", "Degraded", "Queued", "Rerouted", "Retrying", "Sending", "Writing", "tell"]


@dataclass(frozen=True, slots=True)
class Sending:
    """A request is about to be sent.

    Attributes:
        attempt: Its number in the call, from 1.
        target: The policy's target; None without a policy.
    """

    attempt: int
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Queued:
    """The call waits before it is sent.

    Attributes:
        kind: What for: the values of `claude.queue`.
        place: Asks for its place in the queue, from 1; 0 once it has left it. None where it has none.
        seconds: Asks how long it may still take, in seconds; None where that is not known.
    """

    kind: Literal["concurrency", "throttle"]
    place: Callable[[], int] | None
    seconds: Callable[[], float | None]


@dataclass(frozen=True, slots=True)
class Retrying:
    """An attempt failed, and another follows after a wait.

    Attributes:
        seconds: The wait.
        attempt: The number of the attempt that follows.
        attempts: The most attempts that the call may make; None where that is not known.
        error_type: Why the last one failed.
    """

    seconds: float
    attempt: int
    attempts: int | None
    error_type: str


@dataclass(frozen=True, slots=True)
class Rerouted:
    """The call goes on to another target or model.

    Attributes:
        reason: The value of `claude.hop.reason`.
        target: The target.
        model: The model where it is another one than the app asked for; None otherwise.
    """

    reason: str
    target: str
    model: str | None


@dataclass(frozen=True, slots=True)
class Degraded:
    """The app gets another answer than the one that it asked for. `by` is the value of `claude.degraded.by`."""

    by: str


@dataclass(frozen=True, slots=True)
class Writing:
    """The first content of a stream has come.

    Attributes:
        tokens: Asks for the tokens so far: estimated from the text until the API tells them.
    """

    tokens: Callable[[], int]


CallEvent: TypeAlias = Sending | Queued | Retrying | Rerouted | Degraded | Writing

WATCHER: Final[ContextVar[Callable[[CallEvent], object] | None]] = ContextVar("claudescope_watcher", default=None)
"""What is told of the calls that this code makes; None where nobody watches. It must not block."""


def tell(event: CallEvent) -> None:
    """Tell the watcher of this code, if there is one. Never raises."""
    watcher = WATCHER.get()
    if watcher is None:
        return
    try:
        watcher(event)
    except Exception:  # noqa: BLE001 - an internal error must not reach the app
        internal_errors.record("progress")
