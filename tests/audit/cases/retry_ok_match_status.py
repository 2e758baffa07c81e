"""match decides what is worth another attempt."""
import asyncio

import aiohttp

URL = "https://api.anthropic.com/v1/messages"


async def ask(session: aiohttp.ClientSession, body, key):
    for attempt in range(5):
        async with session.post(URL, json=body, headers={"x-api-key": key}) as response:  # @ raw-http specific ? unhandled-call no-timeout
            match response.status:
                case 200:
                    return await response.json()
                case 429 | 500 | 529:
                    wait = float(response.headers.get("retry-after", 2**attempt))
                    await asyncio.sleep(wait)
                case status:
                    raise ValueError(f"refused: {status}")
    raise TimeoutError("gave up")
