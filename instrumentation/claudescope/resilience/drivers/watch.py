"""What stands between a response of a protected stream and those who watch it: its body, and the SDK's observer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from claudescope.probe.streams import body_watcher

if TYPE_CHECKING:
    from claudescope.probe.body_parser import BodyType

__all__ = ["EXTENSION", "Observer", "Watch", "watched"]

EXTENSION: Final = "claudescope.guard"
"""The extension of a response that holds the guard of its stream."""

_TAIL: Final = 400
"""Bytes of a body's end in which `message_stop` is looked for."""


class _Guarded(Protocol):
    """The guard of a stream, as its watchers know it."""

    is_chat: bool
    parsing: bool
    inside: bool

    @property
    def may_go_on(self) -> bool:
        """Whether another response may follow where this one fails now."""
        ...

    def ended(self, error_type: str | None) -> None:
        """The stream is over."""

    def failed(self, error: BaseException) -> None:
        """Reading it raised."""

    def closed(self) -> None:
        """The app closed it."""

    def dropped(self) -> None:
        """The app dropped it."""


def watched(response: Any, guard: _Guarded) -> Watch:
    """Have a guard watch a response that has just come."""
    watch = Watch(guard)
    response.extensions[EXTENSION] = guard
    made = body_watcher(response)
    if made is not None:
        response.stream = made(response.stream, watch)
    return watch


class Watch:
    """What the body of one response tells the guard. An earlier response of the same stream tells nothing."""

    def __init__(self, guard: _Guarded) -> None:
        self._guard = guard
        self.is_current = True
        self._tail = b""

    @property
    def parsing(self) -> bool:
        """Whether a `Stream` of the SDK parses the body."""
        return self._guard.parsing

    @property
    def reading(self) -> bool:
        """Whether the SDK runs inside the stream now."""
        return self._guard.inside

    def begin_body(self, body: BodyType) -> None:
        """The app begins to read the body itself."""
        del body

    def on_chunk(self, chunk: bytes) -> None:
        """Take a chunk of a body that the app reads itself."""
        self._tail = (self._tail + chunk)[-_TAIL:]

    def failed(self, error: BaseException) -> None:
        """Reading the body raised."""
        if self.is_current:
            self._guard.failed(error)

    def read_to_end(self) -> None:
        """The body ended by itself."""
        if self.is_current:
            stopped = not self._guard.is_chat or b"message_stop" in self._tail
            self._guard.ended(None if stopped else "stream_interrupted_error")

    def closed_early(self) -> None:
        """The app closed the response."""
        if self.is_current:
            self._guard.closed()

    def finalized(self) -> None:
        """The app dropped the response."""
        if self.is_current:
            self._guard.dropped()


class Observer:
    """Stands before the SDK's observer of a stream, which ends the call's span at the first end that it is told.

    While another response may follow, an end is held back.
    """

    def __init__(self, observer: Any, guard: _Guarded) -> None:
        self._observer = observer
        self._guard = guard
        self._held: tuple[Any, ...] | None = None
        self._dropped = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._observer, name)

    def end(self, how: str, error: BaseException | None = None) -> None:
        """The SDK says that the stream has ended."""
        if self._dropped:
            return
        if self._guard.may_go_on and self._guard.inside:
            self._held = self._held or (how, error)
            return
        self._observer.end(how, error)

    def drop(self) -> None:
        """The stream goes on with another response, whose observer ends the span."""
        self._dropped = True
        self._held = None

    def release(self) -> None:
        """No other response follows."""
        held, self._held = self._held, None
        if held is not None:
            self._observer.end(*held)

    def finish(self) -> None:
        """No other response follows, and the app gets an end as of a whole stream."""
        if self._held is not None:
            self._held = None
            self._observer.end("read")
