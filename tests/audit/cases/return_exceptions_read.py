"""Exceptions are returned and read."""
import asyncio
import logging
import anthropic

client = anthropic.AsyncAnthropic(timeout=9)
slots = asyncio.Semaphore(4)


async def one(prompt):
    async with slots:
        return await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-async by-caller


async def main(prompts):
    results = await asyncio.gather(*map(one, prompts), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            logging.error("one failed: %s", result)
    return results
