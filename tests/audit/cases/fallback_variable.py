"""A variable gets a default."""
from anthropic import APIStatusError, AsyncAnthropic


class Greeter:
    def __init__(self, client: AsyncAnthropic):
        self._client = client

    async def greet(self, name):
        try:
            message = await self._client.messages.create(model="claude-haiku-5-5", max_tokens=30, messages=[{"role": "user", "content": name}])  # @ sdk-async specific ! fallback-hides-error ? unhandled-call no-timeout
            text = message.content[0].text
        except APIStatusError:
            text = f"Hello, {name}!"
        return text
