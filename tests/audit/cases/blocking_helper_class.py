"""Through a method of a service."""
import anthropic
from aiohttp import web


class Titles:
    def __init__(self):
        self._client = anthropic.Anthropic(timeout=20)

    def title(self, text):
        return self._client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=text).content[0].text  # @ sdk-sync by-caller ! blocking-call-in-async


titles = Titles()


async def handler(request):
    try:
        return web.json_response({"title": titles.title(await request.text())})
    except anthropic.APIError:
        return web.json_response({"error": "later"}, status=503)
