"""The states of a call, and which one may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

__all__ = ["TRANSITIONS", "CallState", "Lifecycle"]


class CallState(Enum):
    """What a call is waiting for."""

    REQUESTING = "requesting"
    """The SDK: it sends requests, and sleeps between them."""

    STREAMING = "streaming"
    """The app: it has the response, and reads its body."""

    FINALIZED = "finalized"
    """The thread of `deferred`: a finaliser took the response, and the end is queued."""

    ENDED = "ended"
    """Nothing: its record is made, or a forked child left it to its parent."""


TRANSITIONS: Final[Mapping[CallState, tuple[CallState, ...]]] = {
    CallState.REQUESTING: (CallState.STREAMING, CallState.FINALIZED, CallState.ENDED),
    CallState.STREAMING: (CallState.FINALIZED, CallState.ENDED),
    CallState.FINALIZED: (CallState.ENDED,),
    CallState.ENDED: (),
}
"""The states that may follow each state. A middleware may drop a response while the SDK still sends requests."""


class Lifecycle:
    """The state of one call. A call ends once, however many threads try to end it.

    Attributes:
        ended_from: The state that the call was in when it ended; None before.
    """

    __slots__ = ("_state", "ended_from")

    def __init__(self) -> None:
        # Empty once the call has ended. `pop` is atomic, so of two threads one ends the call; a lock is not allowed in
        # a finaliser.
        self._state = [CallState.REQUESTING]
        self.ended_from: CallState | None = None

    @property
    def state(self) -> CallState:
        """The state now."""
        try:
            return self._state[0]
        except IndexError:
            return CallState.ENDED

    @property
    def ended(self) -> bool:
        """Whether the call has ended."""
        return not self._state

    @property
    def streaming(self) -> bool:
        """Whether the app has, or had, a body to read."""
        state = self.ended_from or self.state
        return state is CallState.STREAMING or state is CallState.FINALIZED

    @property
    def finalized(self) -> bool:
        """Whether a finaliser took the response, also where the call has ended since."""
        return self.state is CallState.FINALIZED or self.ended_from is CallState.FINALIZED

    def enter(self, state: CallState) -> bool:
        """Change the state.

        Returns:
            Whether `TRANSITIONS` allows it. Nothing changes where it does not.
        """
        try:
            if state not in TRANSITIONS[self._state[0]]:
                return False
            if state is CallState.ENDED:
                self.ended_from = self._state.pop()
            else:
                self._state[0] = state
        except IndexError:  # the call has ended, perhaps on another thread just now
            return False
        return True
