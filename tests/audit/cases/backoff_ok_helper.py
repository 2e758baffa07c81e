"""The pause is a helper's."""
import asyncio
import random

import anthropic

client = anthropic.AsyncAnthropic(max_retries=0, timeout=20)


async def _breathe(attempt):
    await asyncio.sleep(min(30, 2**attempt) * random.random())


async def ask(prompt):
    for attempt in range(5):
        try:
            return await client.messages.create(model="claude-haiku-5-5", max_tokens=10, messages=prompt)  # @ sdk-async specific ? unhandled-call
        except anthropic.InternalServerError:
            if attempt == 4:
                raise
            await _breathe(attempt)
