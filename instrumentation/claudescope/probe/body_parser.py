"""Reads the facts of a Message, or of a batch's results, off the bytes of a body that the app reads itself.

Through `with_streaming_response` an app gets bytes, text or lines, and nobody parses them. What was billed is in them
all the same. Memory is bounded: where lines matter the current one is kept, of any other body at most `MAX_BODY` bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, cast

__all__ = ["MAX_BODY", "BodyForm", "BodyReader", "BodyType"]

BodyForm = Literal["json", "events", "lines"]
"""One value, server-sent events, or a value on each line."""

MAX_BODY: Final = 16 * 1024 * 1024
"""Bytes of a body, or of one line of a stream, beyond which it is no longer read along."""

_EVENTS: Final = tuple(
    f'"{kind}"'.encode()
    for kind in (
        "message_start",
        "content_block_start",
        "content_block_delta",
        "message_delta",
        "message_stop",
        "error",
    )
)


class BodyReader:
    """Follows a body chunk by chunk.

    Args:
        decode: Undoes the body's content coding, chunk by chunk.
        see: Gets each event, or the value of each line, decoded.
        read: Gets a whole body, decoded.
        form: How the body is made up.
    """

    def __init__(
        self,
        decode: Callable[[bytes], bytes],
        *,
        see: Callable[[dict[str, Any]], None],
        read: Callable[[object], None],
        form: BodyForm,
    ) -> None:
        self._decode = decode
        self._see = see
        self._read = read
        self._buffer = bytearray()
        self._form: Final = form
        self._given_up = False

    @property
    def is_stream(self) -> bool:
        """Whether the body is a stream of events, which says itself where it ends."""
        return self._form == "events"

    @property
    def whole(self) -> bool:
        """Whether all that was fed has been read."""
        return not self._given_up

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk, as the wire has it."""
        if self._given_up:
            return
        data = self._decode(chunk)
        self._buffer += data
        if self._form != "json" and b"\n" in data:
            *lines, rest = bytes(self._buffer).split(b"\n")
            self._buffer = bytearray(rest)
            for line in lines:
                self._line(line.rstrip(b"\r"))
        if len(self._buffer) > MAX_BODY:
            self._given_up = True
            self._buffer.clear()

    def end(self) -> None:
        """The body has ended."""
        if self._form == "json" and self._buffer:
            self._read(_decoded(self._buffer))
        elif self._form == "lines":
            self._line(bytes(self._buffer))

    def _line(self, line: bytes) -> None:
        # The API sends each event's data as one line, which holds the event's type.
        if self._form == "events":
            if not line.startswith(b"data:") or not any(kind in line for kind in _EVENTS):
                return
            line = line[5:]
        value = _decoded(line)
        if isinstance(value, dict):
            self._see(cast("dict[str, Any]", value))


def _decoded(data: bytes | bytearray) -> object:
    """The value that `data` is in JSON; None where it is broken, which is the sender's fault and the app's to see."""
    try:
        return cast("object", json.loads(data))
    except (ValueError, RecursionError):
        return None


class BodyType(NamedTuple):
    """What a response says of its body. Nothing is read of it until somebody reads the body itself.

    Attributes:
        response_class: The class of the response, which knows the content codings that the HTTP library has.
        headers: Its headers.
    """

    response_class: Any
    headers: Any

    def form(self) -> BodyForm | None:
        """How the body of a Message is made up; None where it can't be one."""
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type == "text/event-stream":
            return "events"
        return "json" if media_type == "application/json" else None

    def reader(
        self, form: BodyForm, *, see: Callable[[dict[str, Any]], None], read: Callable[[object], None]
    ) -> BodyReader:
        """The reader for such a body."""
        coding = self.headers.get("content-encoding", "identity")
        # A decoder of its own, as that of the response is in use.
        response = self.response_class(200, headers={"content-encoding": coding})
        decoder = response._get_content_decoder()  # noqa: SLF001 - there is no public one

        def decode(chunk: bytes) -> bytes:
            decoded = decoder.decode(chunk)  # bytes in httpx, pieces of them in httpx2
            return decoded if isinstance(decoded, bytes) else b"".join(decoded)

        return BodyReader(decode, see=see, read=read, form=form)
