"""Server tools: web search and web fetch."""

from __future__ import annotations

import base64
import json
from typing import Any

from claudescope.simulator.blocks import Block, Delta, chunks
from claudescope.simulator.prompts import text_tokens
from claudescope.simulator.randomness import Randomness
from claudescope.simulator.requests import MessageRequest

__all__ = ["server_tool_blocks"]

_URL = "https://example.com/article"


def server_tool_blocks(request: MessageRequest, randomness: Randomness, blocks: list[Block]) -> dict[str, int] | None:
    """Use each server tool of a request once, and append its blocks to the response.

    Returns:
        The uses as `usage.server_tool_use` names them, None if the request has no server tool.
    """
    if request.tool_choice is not None and request.tool_choice.type == "none":
        return None
    kinds = [str(tool.get("type", "")) for tool in request.tools]
    uses = {
        f"{name}_requests": int(any(kind.startswith(f"{name}_") for kind in kinds))
        for name in ("web_search", "web_fetch")
    }
    if not any(uses.values()):
        return None
    if uses["web_search_requests"]:
        _add(blocks, randomness, "web_search", {"query": "latency budget"}, _search_result(randomness))
    if uses["web_fetch_requests"]:
        _add(blocks, randomness, "web_fetch", {"url": _URL}, _fetch_result())
    return uses


def _search_result(randomness: Randomness) -> Any:
    return [
        {
            "type": "web_search_result",
            "url": _URL,
            "title": "An article",
            "page_age": None,
            "encrypted_content": base64.b64encode(randomness.rng("web search").randbytes(48)).decode(),
        }
    ]


def _fetch_result() -> Any:
    return {
        "type": "web_fetch_result",
        "url": _URL,
        "retrieved_at": None,
        "content": {
            "type": "document",
            "title": "An article",
            "source": {"type": "text", "media_type": "text/plain", "data": "What the article says."},
        },
    }


def _add(blocks: list[Block], randomness: Randomness, name: str, tool_input: dict[str, str], result: Any) -> None:
    bare = {"type": "server_tool_use", "id": randomness.child(name).identifier("srvtoolu_01"), "name": name}
    text = json.dumps(tool_input)
    deltas = [
        Delta({"type": "input_json_delta", "partial_json": part}, text_tokens(part))
        for part in chunks(text, randomness, name)
    ]
    blocks.append(Block({**bare, "input": tool_input}, {**bare, "input": {}}, deltas))
    whole = {"type": f"{name}_tool_result", "tool_use_id": bare["id"], "content": result}
    blocks.append(Block(whole, whole))
