"""A task that is awaited later."""
import asyncio
import anthropic

client = anthropic.AsyncAnthropic(timeout=10)


async def one(prompt):
    return await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-async by-caller


async def both(prompt):
    task = asyncio.create_task(one(prompt))
    await asyncio.sleep(1)
    try:
        return await task
    except anthropic.APIError as error:
        raise RuntimeError("both") from error
