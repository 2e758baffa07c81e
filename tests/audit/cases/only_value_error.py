"""A try for other errors alone."""
import anthropic
import asyncio

client = anthropic.AsyncAnthropic(timeout=30)


async def ask(prompt):
    try:
        return await asyncio.wait_for(client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt), 20)  # @ sdk-async none ! unhandled-call
    except (ValueError, TimeoutError):
        return None
