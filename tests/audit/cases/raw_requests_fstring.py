"""requests with an f-string URL, any status but 200 is repeated."""
import time

import requests

BASE = "https://api.anthropic.com"


def ask(body, key):
    for attempt in range(5):
        response = requests.post(f"{BASE}/v1/messages", json=body, headers={"x-api-key": key}, timeout=30)  # @ raw-http specific ! retry-non-retryable ignores-retry-after ? unhandled-call
        if response.status_code == 200:
            return response.json()
        time.sleep(2**attempt)
    raise RuntimeError("no answer")
