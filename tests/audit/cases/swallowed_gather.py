"""gather(return_exceptions=True) that nobody reads."""
import asyncio

import anthropic

client = anthropic.AsyncAnthropic(timeout=10)


async def warm(text):
    await client.messages.create(model="claude-haiku-5-5", max_tokens=1, messages=text)  # @ sdk-async swallowed|by-caller ! swallowed-error ? unhandled-call


async def warm_both(a, b):
    await asyncio.gather(warm(a), warm(b), return_exceptions=True)
