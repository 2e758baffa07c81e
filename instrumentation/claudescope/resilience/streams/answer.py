"""The answer of a stream as far as the app has it. It holds content: as much as one answer has, until the call ends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from claudescope._internal.json_values import is_object
from claudescope.probe.response import CONTENT, field_of
from claudescope.resilience.body import mapping, plain, whole

__all__ = ["COUNTS", "AnswerSoFar"]

_TEXTS: Final = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
_READABLE: Final = frozenset({"text", "thinking", "redacted_thinking"})
COUNTS: Final = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
"""The counts of `usage` that add up over several answers."""


class _Block:
    """A content block: how it starts, and the pieces that came for it."""

    __slots__ = ("citations", "kind", "pieces", "signature", "start", "stopped")

    def __init__(self, start: Mapping[str, Any]) -> None:
        self.start = start
        self.kind = str(start.get("type"))
        self.pieces: list[str] = []
        self.citations: list[Any] = []
        self.signature = ""
        self.stopped = False

    def add(self, delta: object) -> None:
        kind = field_of(delta, "type")
        name = _TEXTS.get(kind)
        piece = None if name is None else field_of(delta, name)
        if isinstance(piece, str):
            self.pieces.append(piece)
        elif kind == "signature_delta":
            self.signature = str(field_of(delta, "signature") or "")
        elif kind == "citations_delta":
            self.citations.append(plain(field_of(delta, "citation")))

    def content(self) -> dict[str, Any]:
        """The block as JSON has it. The input of a tool is as far as it is whole."""
        text = "".join(self.pieces)
        if self.kind == "text":
            cited = {"citations": self.citations} if self.citations else {}
            return {**self.start, "text": str(self.start.get("text") or "") + text, **cited}
        if self.kind == "thinking":
            return {**self.start, "thinking": text, "signature": self.signature}
        if "input" in self.start and text:
            try:
                return {**self.start, "input": json.loads(text)}
            except ValueError:
                return dict(self.start)
        return dict(self.start)


class AnswerSoFar:
    """Takes the events that the app gets of a stream.

    Attributes:
        usage: What the events said of usage so far, by the API's names.
        begun: Whether `message_start` has come.
    """

    def __init__(self) -> None:
        self.usage: dict[str, int] = {}
        self.begun = False
        self._message: dict[str, Any] = {}
        self._blocks: dict[int, _Block] = {}
        self._open: int | None = None

    def take(self, event: object) -> None:
        """Take an event, a model or decoded. What it is unlike an event of the API is left out."""
        kind = field_of(event, "type")
        if kind == CONTENT:
            block = self._blocks.get(field_of(event, "index"))
            if block is not None:
                block.add(field_of(event, "delta"))
        elif kind == "content_block_start":
            index = whole(field_of(event, "index"))
            if index is not None:
                self._open = index
                self._blocks[index] = _Block(mapping(plain(field_of(event, "content_block"))))
        elif kind == "content_block_stop":
            stopped = self._blocks.get(field_of(event, "index"))
            if stopped is not None:
                stopped.stopped = True
            self._open = None
        elif kind == "message_start":
            self.begun = True
            message = plain(field_of(event, "message"))
            self._message = message if is_object(message) else {}
            self.count(self._message.get("usage"))
        elif kind == "message_delta":
            self.count(field_of(event, "usage"))
            reason = field_of(field_of(event, "delta"), "stop_reason")
            self._message["stop_reason"] = reason if isinstance(reason, str) else None

    def count(self, usage: object) -> None:
        """Take a `usage`, whose counts replace those before."""
        for name in COUNTS:
            value = whole(field_of(usage, name))
            if value is not None:
                self.usage[name] = value

    @property
    def open_block(self) -> int | None:
        """The index of the block that is not finished; None between two blocks."""
        return self._open

    @property
    def next_block(self) -> int:
        """The index that the next block will have."""
        return max(self._blocks, default=-1) + 1

    @property
    def text(self) -> str:
        """The text so far, without that of thinking."""
        return "".join(block.content()["text"] for _, block in sorted(self._blocks.items()) if block.kind == "text")

    @property
    def is_text(self) -> bool:
        """Whether the answer is text until here, so that more text can follow: no tool, and no thinking under way."""
        if not all(block.kind in _READABLE for block in self._blocks.values()):
            return False
        last = self._blocks.get(self.next_block - 1)
        return last is not None and last.kind == "text" and bool(self.text.strip())

    @property
    def can_end(self) -> bool:
        """Whether it can end here: the block under way is text, or none is."""
        if self._open is None:
            return True
        return self._blocks[self._open].kind == "text"

    def message(self) -> dict[str, Any] | None:
        """What there is of the message, as the API's JSON; None before its start. A tool that was cut is left out."""
        if not self.begun:
            return None
        content = [
            block.content() for _, block in sorted(self._blocks.items()) if block.stopped or block.kind in _READABLE
        ]
        usage = {**mapping(self._message.get("usage")), **self.usage}
        return {"stop_reason": None, "stop_sequence": None, **self._message, "content": content, "usage": usage}
