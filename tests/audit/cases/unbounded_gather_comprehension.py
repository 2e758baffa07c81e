"""gather over a query set."""
import asyncio

import anthropic

client = anthropic.AsyncAnthropic(timeout=20)


async def summarise(article):
    reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=article)  # @ sdk-async by-caller ! unbounded-concurrency
    return reply.content[0].text


async def main(articles):
    try:
        return await asyncio.gather(*(summarise(a) for a in articles if a))
    except anthropic.APIError as error:
        raise SystemExit(str(error)) from error
