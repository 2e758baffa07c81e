"""requests in a coroutine."""
import requests


async def ask(body, headers):
    try:
        response = requests.post("https://api.anthropic.com/v1/messages", json=body, headers=headers, timeout=20)  # @ raw-http specific ! blocking-call-in-async
        response.raise_for_status()
    except requests.RequestException as error:
        raise RuntimeError("no answer") from error
    return response.json()
