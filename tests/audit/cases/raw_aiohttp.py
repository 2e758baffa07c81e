"""aiohttp: nobody looks at the status."""
import aiohttp

URL = "https://api.anthropic.com/v1/messages"


async def ask(body, headers):
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(URL, json=body) as response:  # @ raw-http none ! unhandled-call ? no-timeout
            return (await response.json())["content"][0]["text"]
