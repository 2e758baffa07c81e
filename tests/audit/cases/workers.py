"""A fixed number of workers on a queue."""
import asyncio
import logging
import anthropic

client = anthropic.AsyncAnthropic(timeout=9)


async def worker(queue, out):
    while not queue.empty():
        prompt = await queue.get()
        try:
            out.append(await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt))  # @ sdk-async specific
        except anthropic.APIError as error:
            logging.error("failed: %s", error)


async def main(queue):
    out = []
    await asyncio.gather(*[worker(queue, out) for _ in range(4)])
    return out
