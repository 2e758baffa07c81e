"""An AsyncExitStack closes."""
from contextlib import AsyncExitStack

import anthropic

client = anthropic.AsyncAnthropic()


async def race(prompt, enough):
    async with AsyncExitStack() as stack:
        try:
            stream = await stack.enter_async_context(client.messages.stream(model="claude-haiku-5-5", max_tokens=500, messages=prompt))  # @ sdk-async specific ? no-timeout
            async for text in stream.text_stream:
                if enough(text):
                    return text
        except anthropic.APIError as error:
            raise RuntimeError("lost") from error
