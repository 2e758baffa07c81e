"""The model stands in the body."""
import httpx


async def ask(client: httpx.AsyncClient, text):
    body = {"max_tokens": 5, "messages": [{"role": "user", "content": text}]}
    body["model"] = "claude-3-haiku-20240307"
    try:
        response = await client.post("https://api.anthropic.com/v1/messages", json=body)  # @ raw-http specific ! retired-model ? no-timeout
        response.raise_for_status()
    except httpx.HTTPError as error:
        raise RuntimeError("no answer") from error
    return response.json()
