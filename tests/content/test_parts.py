"""Blocks of the API as the conventions' message parts, held against the SDK's own rendering and the official types."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from anthropic.lib._tracing._content import content_parts
from anthropic.types import Message
from opentelemetry.util.genai import types as genai  # pyright: ignore[reportMissingTypeStubs]

from claudescope.content.parts import cleaned, part_of, parts_of

_TEXT = {"type": "text", "text": "Hello", "cache_control": {"type": "ephemeral"}}
_THINKING = {"type": "thinking", "thinking": "Hm", "signature": "opaque"}
_TOOL_USE = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Paris"}}
_TOOL_RESULT = {
    "type": "tool_result",
    "tool_use_id": "toolu_1",
    "content": [{"type": "text", "text": "rainy"}, {"type": "image", "source": {"type": "base64", "data": "AAAA"}}],
}
_SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "weather"}}
_FOUND = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [{"type": "web_search_result", "url": "https://a.example", "encrypted_content": "opaque"}],
}
_IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}


@pytest.mark.parametrize("content", ["Hello", [_TEXT, _THINKING, _TOOL_USE, _TOOL_RESULT, _IMAGE], []])
def test_as_the_sdk_has_it(content: object) -> None:
    """Where the SDK's own rendering follows the conventions, ours is the same."""
    assert parts_of(content) == content_parts(content)


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        (_TEXT, genai.Text),
        (_THINKING, genai.Reasoning),
        (_TOOL_USE, genai.ToolCallRequest),
        (_TOOL_RESULT, genai.ToolCallResponse),
        (_SEARCH, genai.ServerToolCall),
        (_FOUND, genai.ServerToolCallResponse),
    ],
)
def test_as_the_conventions_have_it(block: dict[str, Any], kind: Any) -> None:
    """A part has exactly the fields of the official type of its name."""
    part = part_of(block)
    official = kind(**{name: value for name, value in part.items() if name != "type"})
    assert dataclasses.asdict(official) == part


def test_models_and_dicts_alike() -> None:
    """An answer's parsed blocks give the same parts as its decoded body."""
    blocks = [_TEXT, _THINKING, _TOOL_USE, _SEARCH, _FOUND]
    body: dict[str, Any] = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": blocks,
        "usage": {},
    }
    assert parts_of(Message.construct(**body).content)[:4] == parts_of(blocks)[:4]


def test_no_data_of_files() -> None:
    """Files, encrypted fields and unknown blocks leave no data."""
    parts = json.dumps(parts_of([_TOOL_RESULT, _FOUND, _IMAGE, {"type": "new_kind", "payload": "AAAA"}, object()]))
    assert "AAAA" not in parts
    assert "opaque" not in parts
    assert "anthropic_new_kind" in parts
    assert "anthropic_unknown" in parts


def test_absurd_values() -> None:
    """Nothing that an app can put into a request keeps it from being rendered."""
    endless: list[Any] = []
    endless.append(endless)
    assert parts_of(None) == parts_of(3) == []
    assert part_of({"type": "text", "text": 3}) == {"type": "text", "content": ""}
    assert json.dumps(cleaned({"a": endless, 3: "dropped", "b": b"bytes"}))
