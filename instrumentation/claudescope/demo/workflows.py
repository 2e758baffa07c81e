"""Typical uses of Claude in an app, one function each.

Apart from the name of the workflow, none of them depends on claudescope.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from anthropic import Anthropic, AsyncAnthropic
from anthropic.types import (
    CacheControlEphemeralParam,
    MessageParam,
    TextBlockParam,
    ToolParam,
    ToolResultBlockParam,
)

from claudescope.workflows import workflow

__all__ = ["ASYNC_WORKFLOWS", "SYNC_WORKFLOWS", "Turn", "run_batch"]

LARGE: Final = "claude-opus-5-5"
SMALL: Final = "claude-haiku-5-5"

_TOPICS: Final = (
    "an invoice",
    "a bug report",
    "a contract",
    "a product review",
    "a support ticket",
    "a meeting",
)
_STYLE_GUIDE: Final = "Write plainly. Prefer short sentences. Name the actor. Keep the numbers. " * 80
_WEATHER: Final[ToolParam] = {
    "name": "get_weather",
    "description": "The weather in a city now.",
    "input_schema": {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        },
        "required": ["city"],
    },
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a workflow.

    Attributes:
        random: Seeded random numbers, so that the same turn makes the same request.
        max_tokens: Most output tokens.
    """

    random: Random
    max_tokens: int = 400

    def ask(self, task: str) -> MessageParam:
        """Make a user's message about a random topic."""
        return {
            "role": "user",
            "content": f"{task} {self.random.choice(_TOPICS)} #{self.random.randrange(10_000)}.",
        }


@workflow("summarise")
def summarise(client: Anthropic, turn: Turn) -> None:
    """One call with a long system prompt that the API caches."""
    cached: CacheControlEphemeralParam = {"type": "ephemeral"}
    guide: TextBlockParam = {"type": "text", "text": _STYLE_GUIDE, "cache_control": cached}
    client.messages.create(model=LARGE, max_tokens=turn.max_tokens, system=[guide], messages=[turn.ask("Summarise")])


@workflow("weather-agent")
def call_tools(client: Anthropic, turn: Turn) -> None:
    """A turn that uses a tool, and the turn with its result."""
    question = turn.ask("Is it a day for a walk, says")
    answer = client.messages.create(model=LARGE, max_tokens=turn.max_tokens, tools=[_WEATHER], messages=[question])
    results: list[ToolResultBlockParam] = [
        {"type": "tool_result", "tool_use_id": block.id, "content": "14 degrees, light rain"}
        for block in answer.content
        if block.type == "tool_use"
    ]
    if results:
        used: MessageParam = {"role": "assistant", "content": answer.content}
        result: MessageParam = {"role": "user", "content": results}
        client.messages.create(
            model=LARGE, max_tokens=turn.max_tokens, tools=[_WEATHER], messages=[question, used, result]
        )


@workflow("chat")
async def chat(client: AsyncAnthropic, turn: Turn) -> None:
    """A stream, read to its end."""
    async with client.messages.stream(
        model=LARGE, max_tokens=turn.max_tokens, messages=[turn.ask("Let us talk about")]
    ) as stream:
        async for _ in stream.text_stream:
            pass


@workflow("autocomplete")
async def autocomplete(client: AsyncAnthropic, turn: Turn) -> None:
    """A stream that is sometimes closed early, as by users who stop reading."""
    leaves_after = turn.random.choice((3, 1_000_000))
    async with await client.messages.create(
        model=SMALL, max_tokens=turn.max_tokens, messages=[turn.ask("Go on writing about")], stream=True
    ) as stream:
        seen = 0
        async for _ in stream:
            seen += 1
            if seen > leaves_after:
                break


@workflow("classify")
async def classify(client: AsyncAnthropic, turn: Turn) -> None:
    """A short question for a small model, with its tokens counted first."""
    question = turn.ask("In one word, classify")
    await client.messages.count_tokens(model=SMALL, messages=[question])
    await client.messages.create(model=SMALL, max_tokens=min(turn.max_tokens, 50), messages=[question])


@workflow("nightly-digest")
def run_batch(client: Anthropic, turn: Turn, until: Callable[[], bool]) -> None:
    """A batch: create it, wait for it, and read its results.

    Args:
        client: The client.
        turn: Makes the requests.
        until: Returns True when to stop waiting.
    """
    batch = client.messages.batches.create(
        requests=[
            {
                "custom_id": f"digest-{number}",
                "params": {"model": SMALL, "max_tokens": turn.max_tokens, "messages": [turn.ask("Digest")]},
            }
            for number in range(5)
        ]
    )
    while not until():
        if client.messages.batches.retrieve(batch.id).processing_status == "ended":
            for _ in client.messages.batches.results(batch.id):
                pass
            return
        time.sleep(0.2)


SYNC_WORKFLOWS: Final = (summarise, call_tools)
ASYNC_WORKFLOWS: Final = (chat, autocomplete, classify)
