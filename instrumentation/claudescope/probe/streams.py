"""Watches the app read a response: the events of a stream, and the bytes of a body.

While a `Stream` of the SDK parses the body, its events decide how the call ends: the SDK closes the body in a
`finally`, before its exception reaches a wrapper around the body. The body decides only where no `Stream` parses it, or
where the app closes it between two events.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, cast

from claudescope.probe.body_parser import BodyType
from claudescope.probe.response import CONTENT, is_content
from claudescope.probe.sdk import http_library

if TYPE_CHECKING:
    from claudescope.probe.interfaces import WatchedCall

__all__ = [
    "body_watcher",
    "call_of",
    "unwatch_body",
    "watch_async_events",
    "watch_body",
    "watch_events",
    "watch_span_end",
]

_EXTENSION: Final = "claudescope.call"
"""The extension of a response that holds its call. httpx does not pickle extensions."""


def call_of(response: Any) -> WatchedCall | None:
    """The call that a response belongs to; None where the call was not seen."""
    extensions: object = getattr(response, "extensions", None)
    call = extensions.get(_EXTENSION) if isinstance(extensions, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return cast("WatchedCall | None", call)


# The two loops below run once per event, and a stream has hundreds. So each is written out, keeps attributes in local
# variables, and reads no more of an event that carries only a piece of the answer. A method call per event takes
# fifteen times as long. The timings are written at once, as the app may end the call between two events.


def watch_events(events: Iterator[Any], call: WatchedCall) -> Generator[Any, None, None]:
    """Yield the events of a sync stream unchanged, and report them to the call."""
    call.parsing = True
    timings, content = call.timings, call.content
    first, last, gap = timings.first_content, timings.last_event, timings.longest_gap
    try:
        for event in events:
            now = perf_counter()
            if now - last > gap:
                timings.longest_gap = gap = now - last
            last = now
            if content is not None:
                content.on_event(event)
            try:
                has_content = event.type == CONTENT
            except Exception:  # noqa: BLE001 - a decoded event, not a model
                has_content = is_content(event)
            if has_content:
                timings.last_content = now
                if first is None:
                    timings.first_content = first = now
            else:
                call.on_control_event(event)
            yield event
    except GeneratorExit:
        call.finalized()
        raise
    except BaseException as error:
        call.failed(error)
        raise
    call.read_to_end()


async def watch_async_events(events: AsyncGenerator[Any, None], call: WatchedCall) -> AsyncIterator[Any]:
    """Yield the events of an async stream unchanged, and report them to the call."""
    call.parsing = True
    timings, content = call.timings, call.content
    first, last, gap = timings.first_content, timings.last_event, timings.longest_gap
    try:
        async for event in events:
            now = perf_counter()
            if now - last > gap:
                timings.longest_gap = gap = now - last
            last = now
            if content is not None:
                content.on_event(event)
            try:
                has_content = event.type == CONTENT
            except Exception:  # noqa: BLE001 - a decoded event, not a model
                has_content = is_content(event)
            if has_content:
                timings.last_content = now
                if first is None:
                    timings.first_content = first = now
            else:
                call.on_control_event(event)
            yield event
    except GeneratorExit:
        call.finalized()
        # The finaliser closes only this generator: close the SDK's too, so that it frees its connection.
        await events.aclose()
        raise
    except BaseException as error:
        call.failed(error)
        raise
    call.read_to_end()


def watch_body(response: Any, call: WatchedCall) -> None:
    """Attach `call` to `response`, and watch its body where no `Stream` parses it."""
    response.extensions[_EXTENSION] = call
    made = body_watcher(response)
    if made is not None:
        response.stream = made(response.stream, call)


def body_watcher(response: Any) -> Callable[[Any, Any], Any] | None:
    """What wraps the body of a response, so that a `WatchedCall` is told how it is read; None where nothing can."""
    http = http_library(response)
    if http is None:
        return None
    body = response.stream
    sync, is_async = isinstance(body, http.SyncByteStream), isinstance(body, http.AsyncByteStream)
    if not (sync or is_async):
        return None
    made, body_type = _body_class(http, sync, is_async), BodyType(http.Response, response.headers)
    return lambda wrapped, call: made(wrapped, call, body_type)


def unwatch_body(response: Any) -> None:
    """Stop watching the body of a response: its call goes on with another one."""
    body = getattr(response, "stream", None)
    while isinstance(body, _Body):
        body.leave()
        body = body.inner


def watch_span_end(response: Any, call: WatchedCall) -> None:
    """Report to the call before the SDK's observer of a stream ends its span, which can't be written to afterwards.

    Needed for ends that no event announces: an error, a truncated body, or the app cancelling the call, which the SDK
    sees as a stream that was closed.
    """
    observer = getattr(getattr(response, "stream", None), "stream_observer", None)
    inner = getattr(observer, "inner", None)
    original = getattr(inner, "end", None)
    if inner is None or original is None:
        return

    def end(how: str, error: BaseException | None = None) -> None:
        if how == "failed" and error is not None:
            call.failing(error)
        elif how == "read":
            call.reaching_end()
        elif call.parsing and call.reading:
            stopped = sys.exc_info()[1]
            if stopped is not None and not isinstance(stopped, GeneratorExit):
                call.failing(stopped)
        call.closing()
        original(how, error)

    inner.end = end


class _Body:
    """What the wrappers of sync and async bodies share."""

    _left = False

    def __init__(self, body: Any, call: WatchedCall, body_type: BodyType) -> None:
        self._body = body
        self._call = call
        self._type = body_type

    def __getattr__(self, name: str) -> Any:
        # httpx2 reads `response.stream.elapsed`; a transport's body may have more.
        return getattr(self._body, name)

    @property
    def inner(self) -> Any:
        """The body that it wraps."""
        return self._body

    def leave(self) -> None:
        """Tell the call nothing more."""
        self._left = True

    def __del__(self) -> None:
        if not self._left:
            self._call.finalized()

    def _closed(self) -> None:
        call = self._call
        if not (self._left or (call.parsing and call.reading)):
            call.closed_early()


class _SyncBody(_Body):
    def __iter__(self) -> Iterator[bytes]:
        # While a Stream parses the body, its events are watched, and its bytes need no wrapper.
        return iter(self._body) if self._call.parsing else self._watched()

    def _watched(self) -> Iterator[bytes]:
        self._call.begin_body(self._type)
        try:
            for chunk in self._body:
                self._call.on_chunk(chunk)
                yield chunk
        except GeneratorExit:
            raise  # the app stopped reading: closing or dropping the body ends the call
        except BaseException as error:
            self._call.failed(error)
            raise
        self._call.read_to_end()

    def close(self) -> None:
        try:
            self._body.close()
        finally:
            self._closed()


class _AsyncBody(_Body):
    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body.__aiter__() if self._call.parsing else self._async_watched()

    async def _async_watched(self) -> AsyncIterator[bytes]:
        self._call.begin_body(self._type)
        try:
            async for chunk in self._body:
                self._call.on_chunk(chunk)
                yield chunk
        except GeneratorExit:
            raise  # the app stopped reading: closing or dropping the body ends the call
        except BaseException as error:
            self._call.failed(error)
            raise
        self._call.read_to_end()

    async def aclose(self) -> None:
        try:
            await self._body.aclose()
        finally:
            self._closed()


@lru_cache(maxsize=8)
def _body_class(http: Any, sync: bool, is_async: bool) -> type[Any]:
    """A wrapper that is a sync stream, an async stream or both, like the body, as httpx checks that."""
    bases: list[type] = []
    if sync:
        bases += [_SyncBody]
    if is_async:
        bases += [_AsyncBody]
    if sync:
        bases += [http.SyncByteStream]
    if is_async:
        bases += [http.AsyncByteStream]
    return type("WatchedBody", tuple(bases), {})
