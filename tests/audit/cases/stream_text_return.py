"""A stream left by return, SDK async, in a helper."""
import anthropic

client = anthropic.AsyncAnthropic(timeout=20)


async def first(prompt):
    try:
        stream = await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt, stream=True)  # @ sdk-async specific ! stream-not-closed
        async for event in stream:
            if event.type == "content_block_start":
                return event
    except anthropic.APIError as error:
        raise RuntimeError("first") from error
