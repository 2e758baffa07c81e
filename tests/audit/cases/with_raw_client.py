"""with_raw_response of the whole client, and of a copy with options."""
import anthropic

client = anthropic.AsyncAnthropic(timeout=9)


async def raw(prompt):
    try:
        a = await client.with_raw_response.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-async specific
        b = await client.with_options(timeout=3).beta.messages.parse(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-async specific
        return a, b
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error
