"""Which fault happens to a request."""

from __future__ import annotations

from collections.abc import Iterable

from claudescope.simulator.randomness import Dice
from claudescope.simulator.scenario import STREAM_FAULTS, Fault

__all__ = ["choose_fault"]


def choose_fault(
    faults: Iterable[Fault], dice: Dice, *, path: str, model: str | None, stream: bool, attempt: int
) -> Fault | None:
    """Draw a fault, each with the probability that its share says.

    Args:
        faults: The rules that hold now.
        dice: The request's own.
        path: The request's path, without query.
        model: The model that it names, if it does.
        stream: Whether it asks for a stream.
        attempt: 1 for the first attempt of a call.
    """
    drawn = dice.rng("fault").random()
    for fault in faults:
        if not _matches(fault, path=path, model=model, stream=stream, attempt=attempt):
            continue
        drawn -= fault.share
        if drawn < 0:
            return fault
    return None


def _matches(fault: Fault, *, path: str, model: str | None, stream: bool, attempt: int) -> bool:
    match = fault.match
    return (
        (fault.kind not in STREAM_FAULTS or stream)
        and (fault.kind != "malformed_json" or not stream)
        and (fault.kind != "refusal" or path == "/v1/messages")
        and (match.model is None or match.model == model)
        and (match.stream is None or match.stream == stream)
        and (match.path is None or match.path == path)
        and (match.attempts is None or attempt <= match.attempts)
    )
