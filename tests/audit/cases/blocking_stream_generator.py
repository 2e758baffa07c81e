"""A sync stream within an async generator."""
import anthropic

client = anthropic.Anthropic(timeout=20)


async def words(prompt):
    try:
        with client.messages.stream(model="claude-haiku-5-5", max_tokens=50, messages=prompt) as stream:  # @ sdk-sync specific ! blocking-call-in-async
            for text in stream.text_stream:
                yield text
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error
