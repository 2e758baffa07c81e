"""gather with a semaphore."""
import asyncio
import anthropic

client = anthropic.AsyncAnthropic(timeout=30)
gate = asyncio.Semaphore(5)


async def one(prompt):
    async with gate:
        return await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-async by-caller


async def main(prompts):
    try:
        tasks = [asyncio.create_task(one(p)) for p in prompts]
        return await asyncio.gather(*tasks)
    except anthropic.APIError as error:
        raise SystemExit(str(error))
