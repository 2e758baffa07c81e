"""Reads the facts of a Message off the bytes of a body that the app reads itself, as they pass.

Through `with_streaming_response` an app gets bytes, text or lines, and nobody parses them. What was billed is in them
all the same. Memory is bounded: of a stream the current line is kept, of a body at most `MAX_BODY` bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

__all__ = ["MAX_BODY", "BodyReader", "BodyType"]

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
        see: Gets each event of a stream, decoded.
        read: Gets a whole body, decoded.
        is_stream: Whether the body is a stream of server-sent events.
    """

    def __init__(
        self,
        decode: Callable[[bytes], bytes],
        *,
        see: Callable[[dict[str, Any]], None],
        read: Callable[[object], None],
        is_stream: bool,
    ) -> None:
        self._decode = decode
        self._see = see
        self._read = read
        self._buffer = bytearray()
        self._given_up = False
        self.is_stream = is_stream

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk, as the wire has it."""
        if self._given_up:
            return
        self._buffer += self._decode(chunk)
        if self.is_stream:
            *lines, rest = bytes(self._buffer).replace(b"\r\n", b"\n").split(b"\n")
            self._buffer = bytearray(rest)
            for line in lines:
                self._line(line)
        if len(self._buffer) > MAX_BODY:
            self._given_up = True
            self._buffer.clear()

    def end(self) -> None:
        """The body has ended."""
        if not self._given_up and not self.is_stream and self._buffer:
            self._read(json.loads(self._buffer))

    def _line(self, line: bytes) -> None:
        # The API sends each event's data as one line, which holds the event's type.
        if line.startswith(b"data:") and any(kind in line for kind in _EVENTS):
            event: object = json.loads(line[5:])
            if isinstance(event, dict):
                self._see(cast("dict[str, Any]", event))


@dataclass(frozen=True, slots=True)
class BodyType:
    """What a response's headers say of its body.

    Attributes:
        response_class: The class of the response, which knows the content codings that the HTTP library has.
        content_type: The media type, with its parameters.
        coding: The content coding.
    """

    response_class: Any
    content_type: str
    coding: str

    def reader(self, *, see: Callable[[dict[str, Any]], None], read: Callable[[object], None]) -> BodyReader | None:
        """The reader for such a body; None where it can't be a Message."""
        media_type = self.content_type.partition(";")[0].strip().lower()
        if media_type not in {"application/json", "text/event-stream"}:
            return None
        # A decoder of its own, as that of the response is in use.
        response = self.response_class(200, headers={"content-encoding": self.coding})
        decoder = response._get_content_decoder()  # noqa: SLF001 - there is no public one

        def decode(chunk: bytes) -> bytes:
            decoded = decoder.decode(chunk)  # bytes in httpx, pieces of them in httpx2
            return decoded if isinstance(decoded, bytes) else b"".join(decoded)

        return BodyReader(decode, see=see, read=read, is_stream=media_type == "text/event-stream")
