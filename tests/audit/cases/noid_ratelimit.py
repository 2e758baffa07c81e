"""A rate limit is logged without anything."""
import logging

from anthropic import AsyncAnthropic, RateLimitError


class Asker:
    def __init__(self, logger: logging.Logger):
        self.logger = logger
        self.client = AsyncAnthropic(timeout=20)

    async def ask(self, prompt):
        try:
            return await self.client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-async specific ! missing-request-id-in-log ? unhandled-call
        except RateLimitError:
            self.logger.warning("rate limit reached, prompt of %d characters", len(prompt))
            return None
