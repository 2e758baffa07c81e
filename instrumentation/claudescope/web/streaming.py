"""Streams of WSGI apps and of Django: the problem as the last event, once the headers have left."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable
from typing import Any

from claudescope._internal.correlation import CURRENT
from claudescope.web import correlation
from claudescope.web.failures import failure_of
from claudescope.web.problem import Options
from claudescope.web.reporting import problem_of
from claudescope.web.sse import MEDIA_TYPE, sse_error

__all__ = ["EventStream", "is_events"]


def is_events(content_type: str | None) -> bool:
    """Whether a response is a stream of server-sent events."""
    return (content_type or "").lower().startswith(MEDIA_TYPE)


class EventStream:
    """A stream of events that ends with the problem where a Claude call in it fails.

    The correlation id is set while the app makes the next piece, as frameworks run that after the request has ended.

    Args:
        options: How problems are made.
        request_id: The correlation id of the request.
        instance: Its path.
        locale: What it asks for in `Accept-Language`.
    """

    def __init__(self, options: Options, request_id: str, instance: str, locale: str | None) -> None:
        self._options = options
        self._id = request_id
        self._instance = instance
        self._locale = locale

    def _last(self, error: Exception) -> str:
        """The last event. Raises the error where it is none of a Claude call."""
        made = None
        if failure_of(error) is not None:
            made = problem_of(error, self._options, instance=self._instance, locale=self._locale)
        if made is None:
            raise error
        return sse_error(made)

    def wrap(self, pieces: Iterable[Any]) -> Generator[Any]:
        """The pieces of a sync stream, and the last event."""
        source = iter(pieces)
        try:
            while True:
                token = CURRENT.set(self._id)
                try:
                    piece = next(source)
                except StopIteration:
                    return
                except Exception as error:  # noqa: BLE001 - it is raised again, unless it is a failed call
                    piece, source = self._last(error), iter(())
                finally:
                    correlation.leave(token)
                yield piece
        finally:
            for closes in (source, pieces):
                close = getattr(closes, "close", None)
                if close is not None:
                    close()

    async def wrap_async(self, pieces: AsyncIterable[Any]) -> AsyncGenerator[Any]:
        """As `wrap`, for an async stream."""
        source = aiter(pieces)
        is_over = False
        try:
            while not is_over:
                token = CURRENT.set(self._id)
                try:
                    piece = await anext(source)
                except StopAsyncIteration:
                    return
                except Exception as error:  # noqa: BLE001 - as above
                    piece, is_over = self._last(error), True
                finally:
                    correlation.leave(token)
                yield piece
        finally:
            close: Any = getattr(source, "aclose", None)
            if close is not None:
                await close()
