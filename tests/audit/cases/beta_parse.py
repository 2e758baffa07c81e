"""beta and parse."""
from pydantic import BaseModel
import anthropic

client = anthropic.AsyncAnthropic(timeout=60)


class Order(BaseModel):
    items: list[str]


async def order(text):
    try:
        reply = await client.messages.parse(model="claude-haiku-5-5", max_tokens=99, messages=text, output_format=Order)  # @ sdk-async specific
        tokens = await client.beta.messages.count_tokens(model="claude-haiku-5-5", messages=text)  # @ sdk-async specific
    except anthropic.APIError as error:
        raise RuntimeError("order") from error
    return reply.parsed_output, tokens
