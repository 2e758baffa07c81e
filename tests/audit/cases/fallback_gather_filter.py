"""Failed ones are left out without a word."""
import asyncio

import anthropic

client = anthropic.AsyncAnthropic(timeout=10)


async def one(text):
    reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=text)  # @ sdk-async by-caller|swallowed ! swallowed-error ? unhandled-call fallback-hides-error
    return reply.content[0].text


async def pair(a, b):
    answers = await asyncio.gather(one(a), one(b), return_exceptions=True)
    return [a for a in answers if not isinstance(a, Exception)]
