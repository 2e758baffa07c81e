"""A client is passed by the caller, annotated as a string."""
from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic


async def ask(client: "AsyncAnthropic | None", prompt: str):
    if client is None:
        return ""
    return (await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[])).content[0].text  # @ sdk-async none ! unhandled-call
