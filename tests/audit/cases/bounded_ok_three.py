"""Three fixed ones."""
import asyncio

import anthropic

client = anthropic.AsyncAnthropic(timeout=20)
VIEWS = ("critic", "fan", "editor")


async def view(role, text):
    return await client.messages.create(model="claude-haiku-5-5", max_tokens=50, system=role, messages=text)  # @ sdk-async by-caller


async def views(text):
    try:
        return dict(zip(VIEWS, await asyncio.gather(*(view(v, text) for v in VIEWS))))
    except anthropic.APIError as error:
        raise RuntimeError("no views") from error
