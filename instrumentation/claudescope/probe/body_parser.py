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
            self._on_body(_decoded(self._buffer))
        elif self._form == "lines":
            self._line(bytes(self._buffer))

    def _line(self, line: bytes) -> None:
        # The API sends each event's data as one line, which holds the event's type.
        if self._form == "events":
            if not line.startswith(b"data:") or not any(event_type in line for event_type in _EVENTS):
                return
            line = line[5:]
        value = _decoded(line)
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
