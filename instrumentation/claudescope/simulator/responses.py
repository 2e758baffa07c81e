"""Makes the model's response: content blocks, stop reason and usage, from the request and its random numbers."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass, field
from typing import Any

from claudescope.simulator.blocks import Block, Delta, chunks
from claudescope.simulator.prompts import InputUsage, text_tokens
from claudescope.simulator.randomness import Randomness, lognormal
from claudescope.simulator.requests import MessageRequest
from claudescope.simulator.scenario import Tokens, TokenSpread
from claudescope.simulator.schema_sample import sample
from claudescope.simulator.server_tools import server_tool_blocks

__all__ = ["MessageResponse", "make_response"]

_WORDS = [
    "the",
    "a",
    "service",
    "request",
    "answer",
    "model",
    "system",
    "latency",
    "budget",
    "error",
    "metric",
    "trace",
    "signal",
    "queue",
    "window",
    "limit",
    "team",
    "page",
    "panel",
    "rule",
    "alert",
    "value",
    "number",
    "change",
    "source",
    "result",
    "measure",
    "report",
    "shows",
    "holds",
    "grows",
    "keeps",
    "returns",
    "explains",
    "within",
    "after",
    "before",
    "under",
    "over",
    "because",
    "while",
    "and",
    "but",
    "so",
    "each",
    "every",
    "steady",
    "slow",
    "fast",
    "clear",
    "small",
    "large",
    "recent",
]

_CLIENT_TOOLS = {
    "bash_": {"command": "ls -la"},
    "text_editor_": {"command": "view", "path": "/"},
    "memory_": {"command": "view", "path": "/memories"},
    "computer_": {"action": "screenshot"},
}
"""Inputs for the client tools that the API defines, by the prefix of their type."""


@dataclass
class MessageResponse:
    """A message before it is sent.

    Attributes:
        id: The message's id.
        model: The model that answers.
        blocks: The content.
        stop_reason: The stop reason.
        stop_sequence: The stop sequence that ended the message; None without one.
        stop_details: Why the model refused; None where it did not.
        input: How the prompt is billed.
        output_tokens: All output tokens, thinking included.
        thinking_tokens: The output tokens of thinking; None where thinking is off.
        server_tools: Uses of server tools by the name in `usage`, such as `web_search_requests`.
        service_tier: `"standard"`, or `"batch"`.
        prose: The whole text that the model would say; None where it says none, or not only text.
    """

    id: str
    model: str
    input: InputUsage
    blocks: list[Block] = field(default_factory=list[Block])
    stop_reason: str = "end_turn"
    stop_sequence: str | None = None
    stop_details: dict[str, Any] | None = None
    output_tokens: int = 0
    thinking_tokens: int | None = None
    server_tools: dict[str, int] | None = None
    service_tier: str = "standard"
    prose: str | None = None

    def usage(self) -> dict[str, Any]:
        """The `usage` object of the whole message."""
        return {
            "input_tokens": self.input.uncached,
            "cache_creation_input_tokens": self.input.written_5m + self.input.written_1h,
            "cache_read_input_tokens": self.input.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.input.written_5m,
                "ephemeral_1h_input_tokens": self.input.written_1h,
            },
            "output_tokens": self.output_tokens,
            **self._details(),
            "service_tier": self.service_tier,
        }

    def cumulative_usage(self) -> dict[str, Any]:
        """The `usage` object of `message_delta`."""
        whole = self.usage()
        return {
            name: whole[name]
            for name in (
                "input_tokens",
                "cache_creation_input_tokens",
                "cache_read_input_tokens",
                "output_tokens",
            )
        } | self._details()

    def message(self) -> dict[str, Any]:
        """The whole message."""
        return {
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [block.content for block in self.blocks],
            "stop_reason": self.stop_reason,
            "stop_sequence": self.stop_sequence,
            **({"stop_details": self.stop_details} if self.stop_details else {}),
            "usage": self.usage(),
        }

    def _details(self) -> dict[str, Any]:
        details: dict[str, Any] = {}
        if self.thinking_tokens is not None:
            details["output_tokens_details"] = {"thinking_tokens": self.thinking_tokens}
        if self.server_tools is not None:
            details["server_tool_use"] = dict(self.server_tools)
        return details


def make_response(
    request: MessageRequest,
    prompt: InputUsage,
    tokens: Tokens,
    randomness: Randomness,
    *,
    refuse: bool = False,
    tier: str = "standard",
    rest: str | None = None,
) -> MessageResponse:
    """Make the response to a request.

    Args:
        request: The request.
        prompt: How the prompt is billed.
        tokens: The distributions of output lengths.
        randomness: The random numbers of the request.
        refuse: Whether the model refuses.
        tier: The service tier in `usage`.
        rest: What is left of an answer that the request asks to go on with; None for any other request.
    """
    response = MessageResponse(randomness.identifier("msg_01"), request.model, prompt, service_tier=tier)
    if request.max_tokens == 0:  # such a request only fills the cache
        response.stop_reason = "max_tokens"
        return response
    if refuse:
        _write_text(response, request, _prose(tokens.output, randomness, most=8), randomness, whole=None)
        response.stop_reason, response.stop_sequence = "refusal", None
        response.stop_details = {"type": "refusal", "category": None, "explanation": None}
        return response
    if request.thinks:
        _think(response, request, tokens.thinking, randomness)
    if rest is not None:
        response.prose = rest
        _write_text(response, request, rest, randomness, whole=None)
        return response
    tool = _tool_to_use(request, randomness)
    if tool is None:
        response.server_tools = server_tool_blocks(request, randomness, response.blocks)
        response.output_tokens += sum(block.tokens for block in response.blocks if block.kind == "server_tool_use")
        schema = request.schema_of_the_answer
        whole = None if schema is None else json.dumps(sample(schema, randomness.rng("schema")), ensure_ascii=False)
        prose = "" if whole is not None else _prose(tokens.output, randomness, most=1 << 20)
        response.prose = prose if whole is None else None
        _write_text(response, request, prose, randomness, whole=whole)
        return response
    if request.tool_choice is None or request.tool_choice.type == "auto":
        _write_text(response, request, _prose(tokens.output, randomness, most=12), randomness, whole=None)
    if response.stop_reason == "end_turn":
        _use_tool(response, request, tool, randomness)
    return response


def _length(spread: TokenSpread, randomness: Randomness, purpose: str) -> int:
    return max(1, math.ceil(lognormal(randomness.rng(purpose), spread.median, spread.sigma)))


def _prose(spread: TokenSpread, randomness: Randomness, *, most: int) -> str:
    """Make sentences with one word per token."""
    rng = randomness.rng("text")
    length = min(_length(spread, randomness, "output length"), most)
    words = rng.choices(_WORDS, k=length)
    left = 0
    for place in range(length):
        if left == 0:
            words[place] = words[place].capitalize()
            left = rng.randint(6, 14)
        left -= 1
        if left == 0 or place == length - 1:
            words[place] += "."
            left = 0
    return " ".join(words)


def _think(response: MessageResponse, request: MessageRequest, spread: TokenSpread, randomness: Randomness) -> None:
    budget = (request.thinking and request.thinking.budget_tokens) or request.max_tokens
    rng = randomness.rng("thinking")
    length = min(_length(spread, randomness, "thinking length"), budget, max(1, request.max_tokens - 1))
    text = " ".join(rng.choices(_WORDS, k=length))
    shown = "" if request.thinking and request.thinking.display == "omitted" else text
    signature = base64.b64encode(rng.randbytes(96)).decode()
    deltas = [
        Delta({"type": "thinking_delta", "thinking": part}, len(part.split()))
        for part in chunks(shown, randomness, "thinking")
    ]
    deltas.append(Delta({"type": "signature_delta", "signature": signature}, 0 if shown else length))
    response.blocks.append(
        Block(
            {"type": "thinking", "thinking": shown, "signature": signature},
            {"type": "thinking", "thinking": "", "signature": ""},
            deltas,
        )
    )
    response.thinking_tokens = length
    response.output_tokens += length


def _write_text(
    response: MessageResponse, request: MessageRequest, prose: str, randomness: Randomness, *, whole: str | None
) -> None:
    """Add a text block, cut at `max_tokens` or at a stop sequence.

    Prose has one token per word. `whole` is structured output, whose tokens are estimated by its length.
    """
    text = prose if whole is None else whole
    room = request.max_tokens - response.output_tokens
    words = text.split(" ")
    if whole is None and len(words) > room:
        text, response.stop_reason = " ".join(words[:room]), "max_tokens"
    elif whole is not None and text_tokens(whole) > room:
        text, response.stop_reason = whole[: room * 4], "max_tokens"
    met = [(text.find(stop), stop) for stop in request.stop_sequences if stop and stop in text]
    if met:
        end, response.stop_sequence = min(met)
        text, response.stop_reason = text[:end], "stop_sequence"
    if not text:
        return
    deltas = [
        Delta({"type": "text_delta", "text": part}, len(part.split()) if whole is None else text_tokens(part))
        for part in chunks(text, randomness, f"text {len(response.blocks)}")
    ]
    response.blocks.append(Block({"type": "text", "text": text}, {"type": "text", "text": ""}, deltas))
    response.output_tokens += len(text.split()) if whole is None else text_tokens(text)


def _tool_to_use(request: MessageRequest, randomness: Randomness) -> dict[str, Any] | None:
    usable = [tool for tool in request.tools if _tool_input(tool, randomness) is not None]
    choice = request.tool_choice
    if not usable or (choice is not None and choice.type == "none"):
        return None
    if choice is not None and choice.type == "tool":
        return next((tool for tool in usable if tool.get("name") == choice.name), None)
    if choice is not None and choice.type == "any":
        return randomness.rng("tool").choice(usable)
    last = request.messages[-1].content
    if isinstance(last, list) and any(block.get("type") == "tool_result" for block in last):
        return None
    return randomness.rng("tool").choice(usable)


def _tool_input(tool: dict[str, Any], randomness: Randomness) -> Any:
    """Make an input for a tool that the client runs; None for other tools."""
    if isinstance(schema := tool.get("input_schema"), dict):
        return sample(schema, randomness.rng("tool input"))  # pyright: ignore[reportUnknownArgumentType]
    kind = str(tool.get("type"))
    return next((example for start, example in _CLIENT_TOOLS.items() if kind.startswith(start)), None)


def _use_tool(response: MessageResponse, request: MessageRequest, tool: dict[str, Any], randomness: Randomness) -> None:
    tool_input = _tool_input(tool, randomness)
    text = json.dumps(tool_input, ensure_ascii=False)
    tokens = text_tokens(text)
    if response.output_tokens + tokens > request.max_tokens:
        response.output_tokens = request.max_tokens
        response.stop_reason = "max_tokens"
        return
    bare = {"type": "tool_use", "id": randomness.identifier("toolu_01"), "name": tool["name"]}
    deltas = [Delta({"type": "input_json_delta", "partial_json": ""}, 0)] + [
        Delta({"type": "input_json_delta", "partial_json": part}, text_tokens(part))
        for part in chunks(text, randomness, "tool input")
    ]
    response.blocks.append(Block({**bare, "input": tool_input}, {**bare, "input": {}}, deltas))
    response.output_tokens += tokens
    response.stop_reason = "tool_use"
