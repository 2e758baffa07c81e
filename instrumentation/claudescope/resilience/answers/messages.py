"""Messages of the API that claudescope makes itself, as JSON and as the events of a stream."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from claudescope._internal.json_values import is_array, is_object
from claudescope.resilience.body import plain

__all__ = ["as_message", "events_of", "is_final", "static_message"]

_FINAL: Final = ("end_turn", "stop_sequence")


def static_message(text: str, model: str | None) -> dict[str, Any]:
    """A message that says `text`, with no usage, as nothing was billed.

    Args:
        text: What it says.
        model: The model that the app asked for.
    """
    return {
        "id": f"msg_claudescope_{uuid.uuid4().hex[:24]}",
        "type": "message",
        "role": "assistant",
        "model": model or "",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }


def as_message(value: object, model: str | None) -> dict[str, Any] | None:
    """What a function of the app returned, as a message.

    Args:
        value: A text; a message of the SDK; a message as JSON has it, or the part of one that differs from a static
            message, such as `{"content": [...]}`.
        model: The model that the app asked for.

    Returns:
        None for anything else, and for None.
    """
    if isinstance(value, str):
        return static_message(value, model)
    if isinstance(value, Mapping) or callable(getattr(value, "to_dict", None)):
        made = {**static_message("", model), **cast("dict[str, Any]", plain(value))}  # pyright: ignore[reportUnknownArgumentType]
        if isinstance(made["content"], str):
            made["content"] = [{"type": "text", "text": made["content"]}]
        return made if is_array(made["content"]) and is_object(made["usage"]) else None
    return None


def is_final(message: Mapping[str, Any]) -> bool:
    """Whether a message is a whole answer: not cut off, not refused, and without a tool to run."""
    content = message.get("content")
    if message.get("type") != "message" or message.get("stop_reason") not in _FINAL or not is_array(content):
        return False
    return all(is_object(block) and block.get("type") in ("text", "thinking", "redacted_thinking") for block in content)


def events_of(message: Mapping[str, Any]) -> bytes:
    """The body of the stream that carries a message, as server-sent events."""
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event, separators=(',', ':'))}\n\n".encode()
        for event in _events(message)
    )


def _events(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    usage = dict(cast("Mapping[str, Any]", message.get("usage") or {}))
    begun = {**usage, "output_tokens": 0}
    start: dict[str, Any] = {**message, "content": [], "stop_reason": None, "stop_sequence": None, "usage": begun}
    yield {"type": "message_start", "message": start}
    blocks = message.get("content")
    for index, block in enumerate(blocks if is_array(blocks) else []):
        begun, deltas = _split(block) if is_object(block) else ({}, [])
        yield {"type": "content_block_start", "index": index, "content_block": begun}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    stop = {"stop_reason": message.get("stop_reason"), "stop_sequence": message.get("stop_sequence")}
    yield {"type": "message_delta", "delta": stop, "usage": {"output_tokens": usage.get("output_tokens", 0)}}
    yield {"type": "message_stop"}


def _split(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A block as it starts, and the deltas that fill it."""
    kind = block.get("type")
    if kind == "text":
        deltas: list[dict[str, Any]] = [{"type": "text_delta", "text": block.get("text", "")}]
        citations = cast("list[Any]", block.get("citations") or [])
        deltas += [{"type": "citations_delta", "citation": citation} for citation in citations]
        return {"type": "text", "text": ""}, deltas
    if kind == "thinking":
        deltas = [
            {"type": "thinking_delta", "thinking": block.get("thinking", "")},
            {"type": "signature_delta", "signature": block.get("signature", "")},
        ]
        return {"type": "thinking", "thinking": "", "signature": ""}, deltas
    if kind == "tool_use":
        text = json.dumps(block.get("input", {}))
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": text}]
    return block, []
