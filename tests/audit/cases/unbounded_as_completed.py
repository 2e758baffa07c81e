"""as_completed over all."""
import asyncio

from anthropic import APIError, AsyncAnthropic


async def one(client: AsyncAnthropic, prompt: str):
    return await client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=[{"role": "user", "content": prompt}])  # @ sdk-async by-caller ! unbounded-concurrency


async def stream_all(prompts: list[str]):
    async with AsyncAnthropic(timeout=20) as client:
        pending = [asyncio.create_task(one(client, p)) for p in prompts]
        for next_done in asyncio.as_completed(pending):
            try:
                print((await next_done).content)
            except APIError as error:
                print("failed", error.message)
                raise
