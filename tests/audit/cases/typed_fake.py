"""A fake with the type's name from a local module."""
from fakes import AsyncAnthropic

client = AsyncAnthropic()


async def ask():
    return await client.messages.create(model="claude-3-opus-20240229")
