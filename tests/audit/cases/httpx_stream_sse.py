"""Raw server-sent events."""
import httpx


async def words(body):
    async with httpx.AsyncClient(timeout=60) as client:
        try:
            async with client.stream("POST", "https://api.anthropic.com/v1/messages", json={**body, "stream": True}) as response:  # @ raw-http specific
                response.raise_for_status()
                async for line in response.aiter_lines():
                    if line.startswith("data: "):
                        yield line[6:]
        except httpx.HTTPError as error:
            raise RuntimeError("no answer") from error
