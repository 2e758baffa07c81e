"""A try around create_task."""
import asyncio
import anthropic

client = anthropic.AsyncAnthropic(timeout=30)


async def warm(prompt):
    await client.messages.create(model="claude-haiku-5-5", max_tokens=1, messages=prompt)  # @ sdk-async none ! fire-and-forget unhandled-call


async def start():
    try:
        asyncio.create_task(warm([]))
    except anthropic.APIError:
        print("never")
