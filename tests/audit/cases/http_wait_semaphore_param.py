"""A semaphore as a parameter."""
import asyncio
import anthropic


async def one(client: anthropic.AsyncAnthropic, gate: asyncio.Semaphore, prompt):
    async with gate:
        try:
            return await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-async specific
        except anthropic.APIError as error:
            raise RuntimeError("one") from error


async def main(prompts):
    async with anthropic.AsyncAnthropic(timeout=20) as client:
        gate = asyncio.Semaphore(3)
        return await asyncio.gather(*(one(client, gate, p) for p in prompts))
