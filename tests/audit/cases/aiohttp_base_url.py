"""aiohttp with a base URL and a class of constants."""
import aiohttp


class Urls:
    API = "https://api.anthropic.com"
    MESSAGES = "/v1/messages"


class Client:
    def __init__(self, key):
        self._session = None
        self._key = key

    async def __aenter__(self):
        self._session = aiohttp.ClientSession(Urls.API, headers={"x-api-key": self._key}, raise_for_status=True)
        return self

    async def __aexit__(self, *args):
        await self._session.close()

    async def ask(self, body):
        try:
            async with self._session.post(Urls.MESSAGES, json=body) as response:  # @ raw-http specific ? no-timeout
                return await response.json()
        except aiohttp.ClientError as error:
            raise RuntimeError("no answer") from error
