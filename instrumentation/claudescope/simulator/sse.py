"""The events of a streamed message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from claudescope.simulator.responses import Answer

__all__ = ["Event", "stream_events"]


@dataclass(frozen=True)
class Event:
    """A server-sent event.

    Attributes:
        data: What it carries; its `type` is the event's name.
        tokens: How many tokens the model takes to write it.
    """

    data: dict[str, Any]
    tokens: int = 0

    @property
    def kind(self) -> str:
        """The event's name."""
        return str(self.data["type"])

    def encode(self) -> bytes:
        """As bytes on the wire."""
        return f"event: {self.kind}\ndata: {json.dumps(self.data, ensure_ascii=False)}\n\n".encode()


def stream_events(answer: Answer) -> Iterator[Event]:
    """The events of an answer, in the API's order."""
    start = answer.message()
    start.update(content=[], stop_reason=None, stop_sequence=None)
    start.pop("stop_details", None)
    # What the model wrote is not known yet; the API names the tokens of the first piece.
    usage = answer.usage() | {"output_tokens": min(1, answer.output_tokens)}
    usage.pop("output_tokens_details", None)
    usage.pop("server_tool_use", None)
    yield Event({"type": "message_start", "message": start | {"usage": usage}})
    for index, block in enumerate(answer.blocks):
        yield Event({"type": "content_block_start", "index": index, "content_block": block.start})
        if index == 0:
            yield Event({"type": "ping"})
        for delta in block.deltas:
            yield Event({"type": "content_block_delta", "index": index, "delta": delta.delta}, delta.tokens)
        yield Event({"type": "content_block_stop", "index": index})
    ending: dict[str, Any] = {"stop_reason": answer.stop_reason, "stop_sequence": answer.stop_sequence}
    if answer.stop_details:
        ending["stop_details"] = answer.stop_details
    yield Event({"type": "message_delta", "delta": ending, "usage": answer.cumulative_usage()})
    yield Event({"type": "message_stop"})
