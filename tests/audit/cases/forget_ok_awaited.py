"""The task is awaited later."""
import asyncio

import anthropic

client = anthropic.AsyncAnthropic(timeout=10)


async def title(text):
    return await client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=text)  # @ sdk-async by-caller


async def page(text):
    task = asyncio.create_task(title(text))
    body = text.upper()
    try:
        return await task, body
    except anthropic.APIError as error:
        raise RuntimeError("no title") from error
