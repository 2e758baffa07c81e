"""gather over everything."""
import asyncio
import anthropic

client = anthropic.AsyncAnthropic(timeout=30)


async def one(prompt):
    return await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-async by-caller ! unbounded-concurrency


async def main(prompts):
    try:
        return await asyncio.gather(*(one(p) for p in prompts))
    except anthropic.APIError as error:
        raise SystemExit(str(error))
