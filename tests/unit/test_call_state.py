"""The states of a call: what may follow what, and that a call ends once."""

from __future__ import annotations

import threading

import pytest

from claudescope.probe.call_state import ENDED, FINALIZED, REQUESTING, STREAMING, TRANSITIONS, CallState, enter


@pytest.mark.parametrize("before", [REQUESTING, STREAMING, FINALIZED])
@pytest.mark.parametrize("state", CallState)
def test_only_what_the_table_allows(before: CallState, state: CallState) -> None:
    """A state that the table allows is entered, and any other changes nothing."""
    holder = [before]
    allowed = state in TRANSITIONS[before]
    assert enter(holder, state) == allowed
    assert holder == ([] if state is ENDED else [state] if allowed else [before])


@pytest.mark.parametrize("state", CallState)
def test_nothing_follows_the_end(state: CallState) -> None:
    """A call that has ended stays ended."""
    assert TRANSITIONS[ENDED] == ()
    holder = [REQUESTING]
    assert enter(holder, ENDED)
    assert not enter(holder, state)
    assert holder == []


def test_one_of_many_threads_ends_a_call() -> None:
    """However many threads try at once, one gets True."""
    for _ in range(200):
        holder, won, start = [STREAMING], list[bool](), threading.Barrier(4)

        def end(holder: list[CallState] = holder, won: list[bool] = won, start: threading.Barrier = start) -> None:
            start.wait()
            won.append(enter(holder, ENDED))

        threads = [threading.Thread(target=end) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(won) == [False, False, False, True]
