"""The results are sorted out."""
import asyncio
import logging

import anthropic

client = anthropic.AsyncAnthropic(timeout=10)


async def one(text):
    return await client.messages.create(model="claude-haiku-5-5", max_tokens=1, messages=text)  # @ sdk-async by-caller|specific ? unhandled-call


async def three(a, b, c):
    results = await asyncio.gather(one(a), one(b), one(c), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            logging.error("failed", exc_info=result)
    return [r for r in results if not isinstance(r, BaseException)]
