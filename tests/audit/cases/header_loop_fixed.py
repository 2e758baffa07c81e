"""Own waits after a 429; the header is not read."""
import asyncio

import anthropic

client = anthropic.AsyncAnthropic(max_retries=0, timeout=20)


async def ask(prompt):
    wait = 1
    while wait < 60:
        try:
            return await client.messages.create(model="claude-haiku-5-5", max_tokens=10, messages=prompt)  # @ sdk-async specific ! ignores-retry-after ? unhandled-call swallowed-error
        except anthropic.RateLimitError:
            await asyncio.sleep(wait)
            wait *= 2
    raise RuntimeError("too busy")
