"""Django channels."""
import json

import anthropic
from channels.generic.websocket import AsyncWebsocketConsumer


class Chat(AsyncWebsocketConsumer):
    client = anthropic.AsyncAnthropic()

    async def receive(self, text_data):
        try:
            async with self.client.messages.stream(model="claude-haiku-5-5", max_tokens=50, messages=json.loads(text_data)) as stream:  # @ sdk-async specific ! error-shown-to-user ? no-timeout
                async for text in stream.text_stream:
                    await self.send(text_data=text)
        except anthropic.APIError as error:
            await self.send(text_data=json.dumps({"error": str(error)}))
