"""as_completed over everything."""
import asyncio
import anthropic

client = anthropic.AsyncAnthropic(timeout=15)


async def one(prompt):
    return await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-async by-caller ! unbounded-concurrency


async def many(prompts):
    for done in asyncio.as_completed([one(p) for p in prompts]):
        try:
            print((await done).content)
        except anthropic.APIError as error:
            print("failed", error)
            raise
