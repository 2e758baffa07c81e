"""What a call does at a moment."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final, Literal

__all__ = ["State", "StateName"]

StateName = Literal["waiting", "queued", "retrying", "rerouted", "working", "done", "failed", "cancelled"]
"""The states of a call."""

_FOR_THE_APP: Final = frozenset({"target", "model", "error"})


@dataclass(frozen=True, slots=True)
class State:
    """What a call does at a moment.

    Attributes:
        name: `waiting`: a request was sent. `queued`: it waits for its turn. `retrying`: an attempt failed, and another
            follows. `rerouted`: it goes on to another target or model. `working`: it still runs, or its answer is being
            written. `done`, `failed` and `cancelled` are the last state.
        message: What to tell a person, in the language of the call. It holds nothing of the request or the API.
        elapsed: Seconds since the call began.
        wait: Seconds that the wait may still take; None where that is not known.
        place: The place in the queue, from 1; None where it is in none.
        attempt: The number of the attempt, from 1; None before the first.
        attempts: The most attempts that the call may make; None where that is not known.
        tokens: Tokens of a stream so far, estimated from its text until the API tells them; None before the first.
        error_type: Why the last attempt, or the call, failed; None where none did.
        retry_after: Of a failed call: seconds after which another may succeed; None where that is not known.
        degraded_by: How the answer differs from the one that was asked for, a value of `claude.degraded.by`; or None.
        target: The policy's target, for the app; None without a policy.
        model: The model where it is another one than the app asked for, for the app.
        error: The exception of a failed call, for the app.
    """

    name: StateName
    message: str
    elapsed: float
    wait: float | None = None
    place: int | None = None
    attempt: int | None = None
    attempts: int | None = None
    tokens: int | None = None
    error_type: str | None = None
    retry_after: float | None = None
    degraded_by: str | None = None
    target: str | None = None
    model: str | None = None
    error: BaseException | None = None

    @property
    def is_last(self) -> bool:
        """Whether the call is over."""
        return self.name in {"done", "failed", "cancelled"}

    def body(self) -> dict[str, Any]:
        """What a consumer may know, ready for JSON: without target, model and exception, and what is not known."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in _FOR_THE_APP}
        return {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in values.items()
            if value is not None
        }
