"""httpx streams, the status is looked at."""
import httpx


async def words(body, key):
    async with httpx.AsyncClient(timeout=30) as http:
        async with http.stream("POST", "https://api.anthropic.com/v1/messages", json={**body, "stream": True}, headers={"x-api-key": key}) as response:  # @ raw-http specific|none ? unhandled-call
            if response.status_code != 200:
                raise RuntimeError(f"status {response.status_code}")
            async for line in response.aiter_lines():
                yield line
