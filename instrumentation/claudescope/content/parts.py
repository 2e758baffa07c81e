"""Converts content blocks of the API into message parts of the OpenTelemetry GenAI conventions.

The shapes are those of the conventions' JSON schemas for `gen_ai.input.messages`, `gen_ai.output.messages` and
`gen_ai.system_instructions` (https://github.com/open-telemetry/semantic-conventions-genai, read in November 2026).
Of images, documents and unknown blocks only the type is kept, as their data is large or not understood.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from claudescope.probe.response import field_of

__all__ = ["Part", "cleaned", "part_of", "parts_of"]

Part = dict[str, Any]

_MAX_DEPTH: Final = 20
_FILES: Final = frozenset({"image", "document"})


def parts_of(content: object) -> list[Part]:
    """The parts of `content`: a string, or a list of content blocks as dicts or models."""
    if isinstance(content, str):
        return [{"type": "text", "content": content}]
    if isinstance(content, (list, tuple)):
        return [part_of(block) for block in cast("list[object]", content)]
    return []


def part_of(block: object) -> Part:
    """The part of one content block."""
    block_type = field_of(block, "type")
    if not isinstance(block_type, str):
        return {"type": "anthropic_unknown"}
    make = _PARTS.get(block_type) or (_server_tool_response if block_type.endswith("_tool_result") else None)
    return {"type": f"anthropic_{block_type}"} if make is None else make(block)


def _words(block: object) -> Part:
    return {"type": "text", "content": _text(field_of(block, "text"))}


def _reasoning(block: object) -> Part:
    return {"type": "reasoning", "content": _text(field_of(block, "thinking"))}


def _tool_call(block: object) -> Part:
    name, arguments = _text(field_of(block, "name")), cleaned(field_of(block, "input"))
    return {"type": "tool_call", "id": field_of(block, "id"), "name": name, "arguments": arguments}


def _server_tool_call(block: object) -> Part:
    name, arguments = _text(field_of(block, "name")), cleaned(field_of(block, "input"))
    call = {"type": name, "arguments": arguments}
    return {"type": "server_tool_call", "id": field_of(block, "id"), "name": name, "server_tool_call": call}


def _tool_response(block: object) -> Part:
    content = field_of(block, "content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else cleaned(content)
    return {"type": "tool_call_response", "id": field_of(block, "tool_use_id"), "response": blocks}


def _server_tool_response(block: object) -> Part:
    response = {"type": field_of(block, "type"), "content": cleaned(field_of(block, "content"))}
    part: Part = {"type": "server_tool_call_response", "id": field_of(block, "tool_use_id")}
    return {**part, "server_tool_call_response": response}


_PARTS: Final[Mapping[str, Callable[[object], Part]]] = {
    "text": _words,
    "thinking": _reasoning,
    "tool_use": _tool_call,
    "mcp_tool_use": _tool_call,
    "server_tool_use": _server_tool_call,
    "tool_result": _tool_response,
    "mcp_tool_result": _tool_response,
}


def cleaned(value: object, depth: int = 0) -> Any:
    """The JSON value of `value`, without the data of files and without encrypted fields."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if depth >= _MAX_DEPTH:
        return None
    if isinstance(value, (list, tuple)):
        return [cleaned(item, depth + 1) for item in cast("list[object]", value)]
    fields = _fields(value)
    if fields is None:
        return str(type(value).__name__)
    if fields.get("type") in _FILES:
        return {"type": fields["type"]}
    return {
        name: cleaned(item, depth + 1)
        for name, item in fields.items()
        if isinstance(name, str) and not name.startswith("encrypted_")
    }


def _fields(value: object) -> Mapping[object, object] | None:
    if isinstance(value, Mapping):
        return cast("Mapping[object, object]", value)
    dump: object = getattr(value, "model_dump", None)
    # pydantic 2 has `model_dump`; the SDK's models on pydantic 1 have only `__dict__`.
    made: object = dump(warnings=False) if callable(dump) else getattr(value, "__dict__", None)
    return cast("Mapping[object, object]", made) if isinstance(made, Mapping) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
