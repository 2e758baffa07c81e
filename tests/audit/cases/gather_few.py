"""gather of a fixed few."""
import asyncio
import anthropic

client = anthropic.AsyncAnthropic(timeout=30)
STYLES = ("short", "long")


async def both(text):
    try:
        return await asyncio.gather(*[client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": s + text}]) for s in STYLES])  # @ sdk-async specific
    except anthropic.APIError as error:
        raise RuntimeError("no text") from error
