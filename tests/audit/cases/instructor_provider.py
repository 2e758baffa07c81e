"""instructor by its provider's name."""
import instructor
from pydantic import BaseModel


class City(BaseModel):
    name: str


client = instructor.from_provider("anthropic/claude-haiku-5-5", async_client=True)


async def city(text):
    return await client.chat.completions.create(messages=[{"role": "user", "content": text}], response_model=City)  # @ instructor none ! unhandled-call ? no-timeout
