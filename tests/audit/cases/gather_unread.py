"""Exceptions are returned, and nobody reads them."""
import asyncio
import anthropic

client = anthropic.AsyncAnthropic(timeout=30)


async def tag(item):
    reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": item.text}])  # @ sdk-async swallowed ! swallowed-error unbounded-concurrency
    item.tags = reply.content[0].text


async def tag_all(items):
    await asyncio.gather(*[tag(item) for item in items], return_exceptions=True)
