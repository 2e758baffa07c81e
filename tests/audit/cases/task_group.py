"""A task group over a collection."""
import asyncio
import anthropic

client = anthropic.AsyncAnthropic(timeout=30)


async def one(prompt, out):
    reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-async none ! unbounded-concurrency unhandled-call
    out.append(reply.content[0].text)


async def main(prompts):
    out = []
    async with asyncio.TaskGroup() as group:
        for prompt in prompts:
            group.create_task(one(prompt, out))
    return out
