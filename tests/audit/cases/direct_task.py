"""create_task of the call itself, and a group of the same."""
import asyncio
import anthropic

client = anthropic.AsyncAnthropic(timeout=30)


def warm():
    asyncio.create_task(client.messages.create(model="claude-haiku-5-5", max_tokens=1, messages=[]))  # @ sdk-async none ! fire-and-forget unhandled-call


async def all_of(prompts):
    tasks = []
    for prompt in prompts:
        tasks.append(asyncio.create_task(client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)))  # @ sdk-async specific|by-caller ! unbounded-concurrency
    try:
        return await asyncio.gather(*tasks)
    except anthropic.APIError as error:
        raise RuntimeError("all") from error
