"""Calls through the factory."""
from . import clients
from .clients import shared as claude
from .settings import settings


async def describe(item):
    reply = await claude.messages.create(model=settings.model, max_tokens=9, messages=[{"role": "user", "content": item}])  # @ sdk-async by-caller ! retired-model error-shown-to-user
    return reply.content[0].text


class Titles:
    def __init__(self, client=None):
        self._client = client or clients.make_client(3)

    async def title(self, item):
        reply = await self._client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": item}])  # @ sdk-async none|unknown ! unhandled-call
        return reply.content[0].text
