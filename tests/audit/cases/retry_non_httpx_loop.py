"""httpx, any status but 200 is asked again."""
import time

import httpx

session = httpx.Client(base_url="https://api.anthropic.com", timeout=20)


def translate(text, key):
    response = None
    for attempt in range(4):
        response = session.post("/v1/messages", headers={"x-api-key": key}, json={"model": "claude-haiku-5-5"})  # @ raw-http specific ! retry-non-retryable ignores-retry-after ? unhandled-call no-timeout
        if response.status_code == 200:
            return response.json()["content"][0]["text"]
        time.sleep(2**attempt)
    raise RuntimeError(f"no translation: {response.status_code}")
