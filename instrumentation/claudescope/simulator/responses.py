"""What the model answers: content blocks, stop reason and usage, all of it from the request and its dice."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass, field
from typing import Any

from claudescope.simulator.blocks import Block, Delta, chunks
from claudescope.simulator.prompts import InputUsage, text_tokens
from claudescope.simulator.randomness import Dice, lognormal
from claudescope.simulator.requests import MessageRequest
from claudescope.simulator.scenario import Tokens, TokenSpread
from claudescope.simulator.schema_sample import sample
from claudescope.simulator.server_tools import server_tool_blocks

__all__ = ["Answer", "answer"]

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
"""Inputs for the client tools that the API defines itself, by the start of their type."""


@dataclass
class Answer:
    """An answer before it is sent.

    Attributes:
        id: The message's id.
        model: The model that answers.
        blocks: The content.
        stop_reason: Why it ends.
        stop_sequence: The stop sequence met, if that is why.
        stop_details: Why the model refused, if it did.
        input: How the prompt is billed.
        output_tokens: All that the model wrote, thinking included.
        thinking_tokens: What of that was thinking, None if it was not asked to think.
        server_tools: Uses of server tools by the name in `usage`, such as `web_search_requests`.
        service_tier: `"standard"`, or `"batch"`.
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


def answer(
    request: MessageRequest,
    prompt: InputUsage,
    tokens: Tokens,
    dice: Dice,
    *,
    refuse: bool = False,
    tier: str = "standard",
) -> Answer:
    """Answer a request.

    Args:
        request: What was asked.
        prompt: How the prompt is billed.
        tokens: How much the model writes.
        dice: The request's own.
        refuse: Whether the model declines.
        tier: The service tier that `usage` names.
    """
    made = Answer(dice.identifier("msg_01"), request.model, prompt, service_tier=tier)
    if request.max_tokens == 0:  # only warms the cache
        made.stop_reason = "max_tokens"
        return made
    if refuse:
        _write_text(made, request, _prose(tokens.output, dice, most=8), dice, whole=None)
        made.stop_reason, made.stop_sequence = "refusal", None
        made.stop_details = {"type": "refusal", "category": None, "explanation": None}
        return made
    if request.thinks:
        _think(made, request, tokens.thinking, dice)
    tool = _tool_to_use(request, dice)
    if tool is None:
        made.server_tools = server_tool_blocks(request, dice, made.blocks)
        made.output_tokens += sum(block.tokens for block in made.blocks if block.kind == "server_tool_use")
        schema = request.schema_of_the_answer
        whole = None if schema is None else json.dumps(sample(schema, dice.rng("schema")), ensure_ascii=False)
        prose = "" if whole is not None else _prose(tokens.output, dice, most=1 << 20)
        _write_text(made, request, prose, dice, whole=whole)
        return made
    if request.tool_choice is None or request.tool_choice.type == "auto":
        _write_text(made, request, _prose(tokens.output, dice, most=12), dice, whole=None)
    if made.stop_reason == "end_turn":
        _use_tool(made, request, tool, dice)
    return made


def _length(spread: TokenSpread, dice: Dice, purpose: str) -> int:
    return max(1, math.ceil(lognormal(dice.rng(purpose), spread.median, spread.sigma)))


def _prose(spread: TokenSpread, dice: Dice, *, most: int) -> str:
    """Sentences, one word to a token."""
    rng = dice.rng("text")
    length = min(_length(spread, dice, "output length"), most)
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


def _think(made: Answer, request: MessageRequest, spread: TokenSpread, dice: Dice) -> None:
    budget = (request.thinking and request.thinking.budget_tokens) or request.max_tokens
    rng = dice.rng("thinking")
    length = min(_length(spread, dice, "thinking length"), budget, max(1, request.max_tokens - 1))
    text = " ".join(rng.choices(_WORDS, k=length))
    shown = "" if request.thinking and request.thinking.display == "omitted" else text
    signature = base64.b64encode(rng.randbytes(96)).decode()
    deltas = [
        Delta({"type": "thinking_delta", "thinking": part}, len(part.split()))
        for part in chunks(shown, dice, "thinking")
    ]
    deltas.append(Delta({"type": "signature_delta", "signature": signature}, 0 if shown else length))
    made.blocks.append(
        Block(
            {"type": "thinking", "thinking": shown, "signature": signature},
            {"type": "thinking", "thinking": "", "signature": ""},
            deltas,
        )
    )
    made.thinking_tokens = length
    made.output_tokens += length


def _write_text(made: Answer, request: MessageRequest, prose: str, dice: Dice, *, whole: str | None) -> None:
    """Add a text block, as much of it as `max_tokens` and the stop sequences leave.

    Prose has one token to a word; `whole` is structured output, which is counted by its length.
    """
    text = prose if whole is None else whole
    room = request.max_tokens - made.output_tokens
    words = text.split(" ")
    if whole is None and len(words) > room:
        text, made.stop_reason = " ".join(words[:room]), "max_tokens"
    elif whole is not None and text_tokens(whole) > room:
        text, made.stop_reason = whole[: room * 4], "max_tokens"
    met = [(text.find(stop), stop) for stop in request.stop_sequences if stop and stop in text]
    if met:
        end, made.stop_sequence = min(met)
        text, made.stop_reason = text[:end], "stop_sequence"
    if not text:
        return
    deltas = [
        Delta({"type": "text_delta", "text": part}, len(part.split()) if whole is None else text_tokens(part))
        for part in chunks(text, dice, f"text {len(made.blocks)}")
    ]
    made.blocks.append(Block({"type": "text", "text": text}, {"type": "text", "text": ""}, deltas))
    made.output_tokens += len(text.split()) if whole is None else text_tokens(text)


def _tool_to_use(request: MessageRequest, dice: Dice) -> dict[str, Any] | None:
    usable = [tool for tool in request.tools if _tool_input(tool, dice) is not None]
    choice = request.tool_choice
    if not usable or (choice is not None and choice.type == "none"):
        return None
    if choice is not None and choice.type == "tool":
        return next((tool for tool in usable if tool.get("name") == choice.name), None)
    if choice is not None and choice.type == "any":
        return dice.rng("tool").choice(usable)
    last = request.messages[-1].content
    if isinstance(last, list) and any(block.get("type") == "tool_result" for block in last):
        return None
    return dice.rng("tool").choice(usable)


def _tool_input(tool: dict[str, Any], dice: Dice) -> Any:
    """An input that suits a tool that the client runs; None for the others."""
    if isinstance(schema := tool.get("input_schema"), dict):
        return sample(schema, dice.rng("tool input"))  # pyright: ignore[reportUnknownArgumentType]
    kind = str(tool.get("type"))
    return next((example for start, example in _CLIENT_TOOLS.items() if kind.startswith(start)), None)


def _use_tool(made: Answer, request: MessageRequest, tool: dict[str, Any], dice: Dice) -> None:
    tool_input = _tool_input(tool, dice)
    text = json.dumps(tool_input, ensure_ascii=False)
    tokens = text_tokens(text)
    if made.output_tokens + tokens > request.max_tokens:
        made.output_tokens = request.max_tokens
        made.stop_reason = "max_tokens"
        return
    bare = {"type": "tool_use", "id": dice.identifier("toolu_01"), "name": tool["name"]}
    deltas = [Delta({"type": "input_json_delta", "partial_json": ""}, 0)] + [
        Delta({"type": "input_json_delta", "partial_json": part}, text_tokens(part))
        for part in chunks(text, dice, "tool input")
    ]
    made.blocks.append(Block({**bare, "input": tool_input}, {**bare, "input": {}}, deltas))
    made.output_tokens += tokens
    made.stop_reason = "tool_use"
