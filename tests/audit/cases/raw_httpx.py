"""httpx by a constant, all looked at."""
import httpx
import logging

API = "https://api.anthropic.com"
log = logging.getLogger(__name__)


async def ask(prompt, key):
    async with httpx.AsyncClient(base_url=API, headers={"x-api-key": key}) as http:
        try:
            response = await http.post("/v1/messages", json={"model": "claude-haiku-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": prompt}]})  # @ raw-http specific
            response.raise_for_status()
        except httpx.HTTPError as error:
            log.error("ask: %s", error)
            raise RuntimeError("ask failed") from error
    return response.json()["content"][0]["text"]
