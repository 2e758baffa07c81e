"""Reads the facts of a Message, or of a batch's results, from the bytes of a body that the app reads itself.

Through `with_streaming_response` an app gets bytes, text or lines that the SDK does not parse, and that the API bills
like any other answer. Memory is bounded: of a body in lines the current line is kept, of any other body at most
`MAX_BODY` bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, cast

__all__ = ["MAX_BODY", "BodyForm", "BodyReader", "BodyType"]

BodyForm = Literal["json", "events", "lines"]
"""One value, server-sent events, or a value on each line."""

MAX_BODY: Final = 16 * 1024 * 1024
"""Largest body, or line of a stream, that is read, in bytes."""

_EVENTS: Final = tuple(
    f'"{event_type}"'.encode()
    for event_type in (
        "message_start",
        "content_block_start",
        "content_block_delta",
        "message_delta",
        "message_stop",
        "error",
    )
)


class BodyReader:
    """Reads a body chunk by chunk.

    Args:
        decode: Undoes the body's content coding, chunk by chunk.
        on_value: Gets each event, or the value of each line, decoded.
        on_body: Gets a whole body, decoded.
        form: The format of the body.
    """

    def __init__(
        self,
        decode: Callable[[bytes], bytes],
        *,
        on_value: Callable[[dict[str, Any]], None],
        on_body: Callable[[object], None],
        form: BodyForm,
    ) -> None:
        self._decode = decode
        self._on_value = on_value
        self._on_body = on_body
        self._buffer = bytearray()
        self._data: list[bytes] = []  # of the event that is being read
        self._data_size = 0
        self._after_cr = False
        self._form: Final = form
        self._given_up = False

    @property
    def is_stream(self) -> bool:
        """Whether the body is a stream of events, whose last event marks its end."""
        return self._form == "events"

    @property
    def whole(self) -> bool:
        """Whether all chunks so far have been read: none was too large."""
        return not self._given_up

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk, as it was received."""
        if self._given_up:
            return
        data = self._decode(chunk)
        if self._form == "json":
            self._buffer += data
        else:
            self._feed_lines(data)
        if len(self._buffer) + self._data_size > MAX_BODY:
            self._given_up = True
            self._buffer.clear()
            self._data.clear()

    def _feed_lines(self, data: bytes) -> None:
        """Split lines as the SDK does: CR, LF and both together end one."""
        if self._after_cr and data:
            data = data.removeprefix(b"\n")  # of a CR LF that two chunks have
            self._after_cr = False
        if b"\n" not in data and b"\r" not in data:
            self._buffer += data
            return
        self._after_cr = data.endswith(b"\r")
        lines = (bytes(self._buffer) + data).splitlines()
        self._buffer = bytearray(b"" if data.endswith((b"\r", b"\n")) else lines.pop())
        for line in lines:
            self._line(line)

    def end(self) -> None:
        """The body has ended."""
        if self._form == "json" and self._buffer:
            self._on_body(_decoded(self._buffer))
        elif self._form == "lines":
            self._line(bytes(self._buffer))

    def _line(self, line: bytes) -> None:
        if self._form == "lines":
            self._value(line)
        elif line.startswith(b"data:"):
            self._data.append(line[5:])
            self._data_size += len(line)
        elif not line and self._data:  # an empty line ends an event
            data = b"\n".join(self._data)
            self._data.clear()
            self._data_size = 0
            if any(event_type in data for event_type in _EVENTS):
                self._value(data)

    def _value(self, data: bytes) -> None:
        value = _decoded(data)
        if isinstance(value, dict):
            self._on_value(cast("dict[str, Any]", value))


def _decoded(data: bytes | bytearray) -> object:
    """The JSON value of `data`; None where it is not valid JSON."""
    try:
        return cast("object", json.loads(data))
    except (ValueError, RecursionError):
        return None


class BodyType(NamedTuple):
    """The type of a response's body, from its headers, which are read only where the app reads the body itself.

    Attributes:
        response_class: The class of the response, which has the content decoders of the HTTP library.
        headers: Its headers.
    """

    response_class: Any
    headers: Any

    def form(self) -> BodyForm | None:
        """The format of the body; None where it can't be a Message."""
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type == "text/event-stream":
            return "events"
        return "json" if media_type == "application/json" else None

    def reader(
        self, form: BodyForm, *, on_value: Callable[[dict[str, Any]], None], on_body: Callable[[object], None]
    ) -> BodyReader:
        """A reader for the body."""
        coding = self.headers.get("content-encoding", "identity")
        # Not the response's own decoder, which is in use.
        response = self.response_class(200, headers={"content-encoding": coding})
        decoder = response._get_content_decoder()  # noqa: SLF001 - httpx has no public decoder

        def decode(chunk: bytes) -> bytes:
            decoded = decoder.decode(chunk)  # bytes in httpx, a list of bytes in httpx2
            return decoded if isinstance(decoded, bytes) else b"".join(decoded)

        return BodyReader(decode, on_value=on_value, on_body=on_body, form=form)
