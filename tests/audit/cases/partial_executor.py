"""A partial of the method in an executor."""
import asyncio
from functools import partial

import anthropic

client = anthropic.Anthropic(timeout=30)


async def ask(prompt):
    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(None, partial(client.messages.create, model="claude-haiku-5-5", max_tokens=9, messages=prompt))  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise RuntimeError("ask") from error
