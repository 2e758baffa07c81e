"""Clients in fields of a dataclass and of a NamedTuple."""
from dataclasses import dataclass, field
from typing import NamedTuple

import anthropic


@dataclass(slots=True)
class Deps:
    claude: anthropic.AsyncAnthropic = field(default_factory=lambda: anthropic.AsyncAnthropic(timeout=9))
    name: str = "x"


class Context(NamedTuple):
    deps: Deps
    raw: anthropic.Anthropic


async def ask(ctx: Context, prompt):
    try:
        return await ctx.deps.claude.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-async specific
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error


def ask_now(ctx: Context, prompt):
    try:
        return ctx.raw.beta.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt, betas=[])  # @ sdk-sync specific ? no-timeout
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error
