"""Watches the stream of a protected call: tells the plan how it ends, and starts it again before its first content.

Events before the first content are held back until it comes. Where the stream breaks before that, another attempt may
follow, and the app sees one stream that took longer. After the first content nothing is repeated.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import ref

from claudescope._internal import internal_errors
from claudescope.probe.attempts import error_type_of
from claudescope.probe.deferred import DEFERRED_ENDINGS
from claudescope.probe.response import field_of
from claudescope.probe.sdk import is_stream
from claudescope.probe.streams import body_watcher
from claudescope.resilience.errors import StreamTruncatedError

if TYPE_CHECKING:
    from claudescope.probe.body_parser import BodyType
    from claudescope.resilience.drivers.session import Session

__all__ = ["StreamGuard", "guard_of"]

_EXTENSION: Final = "claudescope.guard"
_BEFORE_CONTENT: Final = frozenset({"message_start", "content_block_start", "ping"})
_TAIL: Final = 400
"""Bytes of a body's end in which `message_stop` is looked for."""


def guard_of(response: Any) -> StreamGuard | None:
    """What watches a response; None where it is no stream of a protected call."""
    extensions: object = getattr(response, "extensions", None)
    guard = extensions.get(_EXTENSION) if isinstance(extensions, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return cast("StreamGuard | None", guard)


class _Watch:
    """What the body of one response tells the guard. An earlier response of the same stream tells nothing."""

    def __init__(self, guard: StreamGuard) -> None:
        self._guard = guard
        self.is_current = True
        self._tail = b""

    @property
    def parsing(self) -> bool:
        return self._guard.parsing

    @property
    def reading(self) -> bool:
        return self._guard.inside

    def begin_body(self, body: BodyType) -> None:
        del body

    def on_chunk(self, chunk: bytes) -> None:
        self._tail = (self._tail + chunk)[-_TAIL:]

    def failed(self, error: BaseException) -> None:
        if self.is_current:
            self._guard.failed(error)

    def read_to_end(self) -> None:
        if self.is_current:
            stopped = not self._guard.is_chat or b"message_stop" in self._tail
            self._guard.ended(None if stopped else "stream_interrupted_error")

    def closed_early(self) -> None:
        if self.is_current:
            self._guard.closed()

    def finalized(self) -> None:
        if self.is_current:
            self._guard.dropped()


class _Observer:
    """Stands before the SDK's observer of a stream, which ends the call's span at the first end that it is told.

    While a restart may follow, an end is held back.
    """

    def __init__(self, observer: Any, guard: StreamGuard) -> None:
        self._observer = observer
        self._guard = guard
        self._held: tuple[Any, ...] | None = None
        self._dropped = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._observer, name)

    def end(self, how: str, error: BaseException | None = None) -> None:
        if self._dropped:
            return
        if self._guard.may_restart and self._guard.inside:
            self._held = self._held or (how, error)
            return
        self._observer.end(how, error)

    def drop(self) -> None:
        """The stream goes on with another response, whose observer ends the span."""
        self._dropped = True
        self._held = None

    def release(self) -> None:
        """No restart follows."""
        held, self._held = self._held, None
        if held is not None:
            self._observer.end(*held)


class StreamGuard:
    """The stream of a protected call, over all its restarts.

    Args:
        session: The call.
        restart: Carries out what the plan says until there is another result of the SDK, or raises what the app gets.
            Of an async call, it returns an awaitable.
        is_chat: Whether a model answers, so that the stream has a `message_stop`.

    Attributes:
        parsing: Whether a `Stream` of the SDK parses the body.
        inside: Whether the SDK runs inside the stream now, and not the app.
        may_restart: Whether no content has come yet.
    """

    def __init__(self, session: Session, restart: Callable[[Session], Any], *, is_chat: bool) -> None:
        self._session = session
        self._restart = restart
        self.is_chat = is_chat
        self.parsing = False
        self.inside = False
        self.may_restart = is_chat
        self._stopped = False
        self._over = False
        self._watch: _Watch | None = None
        self._observer: _Observer | None = None
        self._stream: Callable[[], Any] = type(None)

    def attach(self, response: Any) -> None:
        """Watch a response that has just come, before the SDK makes anything of it."""
        if self._watch is not None:
            self._watch.is_current = False
        self._watch = _Watch(self)
        response.extensions[_EXTENSION] = self
        made = body_watcher(response)
        if made is not None:
            response.stream = made(response.stream, self._watch)

    def returned(self, response: Any, result: Any) -> None:
        """The SDK has made `result` of the response, for the app."""
        if is_stream(result):
            self._stream = ref(result)
        self._observe(response)
        DEFERRED_ENDINGS.start()

    def _observe(self, response: Any) -> None:
        observer = getattr(getattr(response, "stream", None), "stream_observer", None)
        if observer is not None and not isinstance(observer, _Observer):
            self._observer = response.stream.stream_observer = _Observer(observer, self)

    # --- how it ends --------------------------------------------------------------------------------------------

    def ended(self, error_type: str | None) -> None:
        """The stream is over, for the app too. Only the first end counts. Never raises."""
        if self._over:
            return
        self._over = True
        self.may_restart = False
        self._session.over()
        try:
            self._session.plan.stream_ended(error_type)
        except Exception:  # noqa: BLE001 - an internal error must not reach the app
            internal_errors.record("resilience")

    def failed(self, error: BaseException) -> None:
        """Reading the stream raised."""
        if isinstance(error, Exception):
            self.ended(error_type_of(error, streaming=True))
        else:
            self.closed()

    def closed(self) -> None:
        """The app closed the stream, or stopped reading it."""
        if self._over:
            return
        if self._stopped:
            self.ended(None)
            return
        self._over = True
        self._session.cancelled()

    def dropped(self) -> None:
        """The app dropped the stream. May run in a finaliser, so it takes no lock: it queues."""
        if not self._over:
            DEFERRED_ENDINGS.later(self.closed)

    # --- its events ---------------------------------------------------------------------------------------------

    def _took(self, event: Any, held: list[Any]) -> bool:
        """Take an event. Returns whether the app gets it now, with those that are held."""
        kind = field_of(event, "type")  # the app may have events decoded to what it likes
        if kind == "message_stop":
            self._stopped = True
        if not self.may_restart:
            return True
        if kind in _BEFORE_CONTENT:
            held.append(event)
            return False
        self.may_restart = False
        self._session.plan.stream_opened()
        return True

    def _failure(self, error: Exception | None) -> Exception | None:
        """Why the stream failed; None where it has ended as it should."""
        if error is not None or self._stopped or not self.is_chat:
            return error
        return StreamTruncatedError()

    def _restarting(self, failure: Exception) -> bool:
        """Whether the plan is asked what follows a failure."""
        if not self.may_restart:
            self.ended(error_type_of(failure, streaming=True))
            return False
        session = self._session
        session.stream_failed(failure)
        session.plan.stream_ended(error_type_of(failure, streaming=True))
        return True

    def _gave_up(self) -> None:
        self._over = True
        self.may_restart = False
        self._session.over()
        if self._observer is not None:
            self._observer.release()

    def _restarted(self, stream: Any, result: Any) -> Any:
        """Go on with another response. Returns the SDK's stream of it, which has not been read."""
        session = self._session
        response = getattr(result, "response", None) or getattr(result, "http_response", result)
        if self._observer is not None:
            self._observer.drop()
        self._observe(response)
        fresh = result
        if not is_stream(result):
            fresh = type(stream)(cast_to=stream._cast_to, response=response, client=session.client)  # noqa: SLF001
        for visible in (stream, self._stream()):
            if visible is not None:
                visible.response = response
        if session.driven is not None:
            session.driven.resumed_with(response)
        return fresh

    def events(  # noqa: PLR0912 - one loop, as a generator can't be cut in two
        self, stream: Any, original: Callable[[Any], Iterator[Any]]
    ) -> Generator[Any, None, None]:
        """The events of a sync stream, over all restarts.

        Args:
            stream: The SDK's stream.
            original: The SDK's `__stream__`.
        """
        self.parsing = True
        held: list[Any] = []
        events = original(stream)
        try:
            while True:
                error: Exception | None = None
                try:
                    while True:
                        self.inside = True
                        event = next(events)
                        if self._took(event, held):
                            self.inside = False
                            if held:
                                yield from held
                                held = []
                            yield event
                except StopIteration:
                    pass
                except Exception as raised:  # noqa: BLE001 - it is raised again, unless another attempt follows
                    error = raised
                failure = self._failure(error)
                if failure is None:
                    self.inside = False
                    yield from held
                    self.ended(None)
                    return
                if not self._restarting(failure):
                    raise failure  # noqa: TRY301 - what is caught below is the app's own
                try:
                    result = self._restart(self._session)
                except BaseException:
                    self._gave_up()
                    raise
                held = []
                events = original(self._restarted(stream, result))
        except GeneratorExit:
            self.dropped()
            raise
        except BaseException as raised:
            if not isinstance(raised, Exception):
                self.closed()
            raise
        finally:
            self.inside = False

    async def async_events(  # noqa: PLR0912 - as above
        self, stream: Any, original: Callable[[Any], AsyncGenerator[Any, None]]
    ) -> AsyncIterator[Any]:
        """The events of an async stream, over all restarts. See `events`."""
        self.parsing = True
        held: list[Any] = []
        events = original(stream)
        try:
            while True:
                error: Exception | None = None
                try:
                    while True:
                        self.inside = True
                        event = await events.__anext__()
                        if self._took(event, held):
                            self.inside = False
                            if held:
                                for before in held:
                                    yield before
                                held = []
                            yield event
                except StopAsyncIteration:
                    pass
                except Exception as raised:  # noqa: BLE001 - it is raised again, unless another attempt follows
                    error = raised
                failure = self._failure(error)
                if failure is None:
                    self.inside = False
                    for before in held:
                        yield before
                    self.ended(None)
                    return
                if not self._restarting(failure):
                    raise failure  # noqa: TRY301 - what is caught below is the app's own
                try:
                    result = await self._restart(self._session)
                except BaseException:
                    self._gave_up()
                    raise
                held = []
                events = original(self._restarted(stream, result))
        except GeneratorExit:
            self.dropped()
            # The finaliser closes only this generator: close the SDK's too, so that it frees its connection.
            await events.aclose()
            raise
        except BaseException as raised:
            if not isinstance(raised, Exception):
                self.closed()
            raise
        finally:
            self.inside = False
