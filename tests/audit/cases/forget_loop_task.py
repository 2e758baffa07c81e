"""loop.create_task in a class."""
import asyncio

import anthropic


class Moderator:
    def __init__(self):
        self.client = anthropic.AsyncAnthropic(timeout=10)
        self.loop = asyncio.get_event_loop()

    async def _check(self, text):
        verdict = await self.client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=text)  # @ sdk-async none ! fire-and-forget unhandled-call
        if verdict.content[0].text == "bad":
            print("bad")

    def on_text(self, text):
        self.loop.create_task(self._check(text))
