"""requests streams, left by break."""
import requests


def first(body, key):
    try:
        response = requests.post("https://api.anthropic.com/v1/messages", json={**body, "stream": True}, headers={"x-api-key": key}, stream=True, timeout=9)  # @ raw-http specific ! stream-not-closed
        response.raise_for_status()
        for line in response.iter_lines():
            if line.startswith(b"data:"):
                break
        return line
    except requests.RequestException as error:
        raise RuntimeError("first") from error
