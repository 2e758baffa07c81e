"""The events of a streamed message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from claudescope.simulator.responses import MessageResponse

__all__ = ["Event", "stream_events"]


@dataclass(frozen=True)
class Event:
    """A server-sent event.

    Attributes:
        data: The data; its `type` is the event's name.
        tokens: How many tokens the model writes for it.
    """

    data: dict[str, Any]
    tokens: int = 0

    @property
    def kind(self) -> str:
        """The event's name."""
        return str(self.data["type"])

    def encode(self) -> bytes:
        """Return the event as bytes of the stream."""
        return f"event: {self.kind}\ndata: {json.dumps(self.data, ensure_ascii=False)}\n\n".encode()


def stream_events(response: MessageResponse) -> Iterator[Event]:
    """Return the events of a response, in the API's order."""
    start = response.message()
    start.update(content=[], stop_reason=None, stop_sequence=None)
    start.pop("stop_details", None)
    # The final count is not known yet: the API reports the tokens of the first delta.
    usage = response.usage() | {"output_tokens": min(1, response.output_tokens)}
    usage.pop("output_tokens_details", None)
    usage.pop("server_tool_use", None)
    yield Event({"type": "message_start", "message": start | {"usage": usage}})
    for index, block in enumerate(response.blocks):
        yield Event({"type": "content_block_start", "index": index, "content_block": block.start})
        if index == 0:
            yield Event({"type": "ping"})
        for delta in block.deltas:
            yield Event({"type": "content_block_delta", "index": index, "delta": delta.delta}, delta.tokens)
        yield Event({"type": "content_block_stop", "index": index})
    ending: dict[str, Any] = {"stop_reason": response.stop_reason, "stop_sequence": response.stop_sequence}
    if response.stop_details:
        ending["stop_details"] = response.stop_details
    yield Event({"type": "message_delta", "delta": ending, "usage": response.cumulative_usage()})
    yield Event({"type": "message_stop"})
