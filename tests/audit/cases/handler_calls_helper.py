"""A handler whose helper logs; another path through an async property."""
import logging
import anthropic

log = logging.getLogger(__name__)


class Service:
    def __init__(self, client: anthropic.AsyncAnthropic):
        self._client = client

    def _failed(self, error):
        log.error("failed: %s", error)

    async def ask(self, prompt):
        try:
            return await self._client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-async specific
        except anthropic.APIError as error:
            self._failed(error)
            return "Sorry."
