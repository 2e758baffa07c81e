"""The states of a call, and which one may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

__all__ = ["ENDED", "FINALIZED", "REQUESTING", "STREAMING", "TRANSITIONS", "CallState", "enter"]


class CallState(Enum):
    """What a call waits for."""

    REQUESTING = "requesting"
    """The SDK: it sends requests, and sleeps between them."""

    STREAMING = "streaming"
    """The app: it has the response, and reads its body."""

    FINALIZED = "finalized"
    """The thread of `deferred`: a finaliser took the response, and the end is queued."""

    ENDED = "ended"
    """Nothing: its record is made, or a forked child left it to its parent."""

    # Enum's own is a function in Python, and every call looks its state up.
    __hash__ = object.__hash__


# Before Python 3.12 `CallState.ENDED` runs a function in Python; these do not.
REQUESTING: Final = CallState.REQUESTING
STREAMING: Final = CallState.STREAMING
FINALIZED: Final = CallState.FINALIZED
ENDED: Final = CallState.ENDED

TRANSITIONS: Final[Mapping[CallState, tuple[CallState, ...]]] = {
    REQUESTING: (ENDED, STREAMING, FINALIZED),
    STREAMING: (ENDED, FINALIZED),
    FINALIZED: (ENDED,),
    ENDED: (),
}
"""The states that may follow each state. A middleware may drop a response while the SDK still sends requests."""


def enter(holder: list[CallState], state: CallState) -> bool:
    """Change the state of a call. However many threads end a call at once, one of them gets True.

    Takes no lock, as it may run in a finaliser.

    Args:
        holder: The one state of the call, which `ENDED` takes out: `pop` is atomic.
        state: The next state.

    Returns:
        Whether `TRANSITIONS` allows it. Nothing changes where it does not.
    """
    try:
        if state not in TRANSITIONS[holder[0]]:
            return False
        if state is ENDED:
            holder.pop()
        else:
            holder[0] = state
    except IndexError:  # the call has ended, perhaps on another thread just now
        return False
    return True
