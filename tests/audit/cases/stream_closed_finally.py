"""A stream that is closed in finally."""
import anthropic

client = anthropic.AsyncAnthropic(timeout=20)


async def first(prompt):
    stream = None
    try:
        stream = await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt, stream=True)  # @ sdk-async specific
        async for event in stream:
            if event.type == "content_block_start":
                return event
    except anthropic.APIError as error:
        raise RuntimeError("first") from error
    finally:
        if stream is not None:
            await stream.close()
