"""States as server-sent events, for web pages."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, TypeVar

from claudescope.web.follow.progress import Progress
from claudescope.web.follow.state import State
from claudescope.web.problem import Options
from claudescope.web.reporting import problem_of
from claudescope.web.sse import sse_error

__all__ = ["progress_events", "progress_events_sync"]

T = TypeVar("T")
_NO_OPTIONS = Options()


async def progress_events(
    followed: Progress[T],
    answer: Callable[[T], Any],
    options: Options = _NO_OPTIONS,
    *,
    instance: str = "",
    locale: str | None = None,
) -> AsyncGenerator[str, None]:
    """The events of a call: `progress` for each state, then `answer`, or `error` with a problem document.

    Where the consumer leaves, the call is cancelled.

    Args:
        followed: The call.
        answer: Makes what is sent as JSON of what the call returned.
        options: How problems are made.
        instance: The path of the request, for the problem.
        locale: The language of the problem, as a value of `Accept-Language`.

    Yields:
        Text of a `text/event-stream`.
    """
    async with followed:
        async for state in followed:
            yield _event("progress", state.body())
        yield _last(followed, answer, options, instance, locale)


def progress_events_sync(
    followed: Progress[T],
    answer: Callable[[T], Any],
    options: Options = _NO_OPTIONS,
    *,
    instance: str = "",
    locale: str | None = None,
) -> Generator[str, None, None]:
    """As `progress_events`, for Flask and Django under WSGI.

    The call runs in a thread, which a consumer who leaves does not stop.
    """
    with followed:
        for state in followed:
            yield _event("progress", state.body())
        yield _last(followed, answer, options, instance, locale)


def _last(
    followed: Progress[T], answer: Callable[[T], Any], options: Options, instance: str, locale: str | None
) -> str:
    last: State = followed.state
    if last.error is None:
        return "" if last.name == "cancelled" else _event("answer", answer(followed.result()))
    made = problem_of(last.error, options, instance=instance or None, locale=locale)
    if made is None:
        raise last.error
    return sse_error(made)


def _event(name: str, data: object) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"
