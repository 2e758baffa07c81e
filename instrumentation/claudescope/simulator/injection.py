"""Chooses the error that is injected into a request."""

from __future__ import annotations

from collections.abc import Iterable

from claudescope.simulator.randomness import Randomness
from claudescope.simulator.scenario import STREAM_ERRORS, InjectedError

__all__ = ["choose_error"]


def choose_error(
    errors: Iterable[InjectedError], randomness: Randomness, *, path: str, model: str | None, stream: bool, attempt: int
) -> InjectedError | None:
    """Draw at most one injected error. Each has the probability that its `share` gives.

    Args:
        errors: The rules that apply now.
        randomness: The random numbers of the request.
        path: The request's path, without query.
        model: The requested model; None where the request has none.
        stream: Whether the request asks for a stream.
        attempt: 1 for the first attempt of a call.
    """
    drawn = randomness.rng("fault").random()
    for injected in errors:
        if not _matches(injected, path=path, model=model, stream=stream, attempt=attempt):
            continue
        drawn -= injected.share
        if drawn < 0:
            return injected
    return None


def _matches(injected: InjectedError, *, path: str, model: str | None, stream: bool, attempt: int) -> bool:
    match = injected.match
    return (
        (injected.type not in STREAM_ERRORS or stream)
        and (injected.type != "malformed_json" or not stream)
        and (injected.type != "refusal" or path == "/v1/messages")
        and (match.model is None or match.model == model)
        and (match.stream is None or match.stream == stream)
        and (match.path is None or match.path == path)
        and (match.attempts is None or attempt <= match.attempts)
    )
