"""A task group awaits."""
import asyncio

import anthropic

client = anthropic.AsyncAnthropic(timeout=10)


async def title(text):
    return await client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=text)  # @ sdk-async by-caller


async def both(a, b):
    try:
        async with asyncio.TaskGroup() as group:
            one = group.create_task(title(a))
            two = group.create_task(title(b))
    except* anthropic.APIError as errors:
        raise RuntimeError("no titles") from errors
    return one.result(), two.result()
