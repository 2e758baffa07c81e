"""Returns from within an async for."""
from anthropic import APIError, AsyncAnthropic


class Teller:
    client = AsyncAnthropic()

    async def first_word(self, prompt):
        try:
            stream = await self.client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=prompt, stream=True)  # @ sdk-async specific ! stream-not-closed ? no-timeout
            async for event in stream:
                if event.type == "content_block_delta" and " " in event.delta.text:
                    return event.delta.text.split()[0]
        except APIError as error:
            raise RuntimeError("no word") from error
        return ""
