"""requests with a table of what to repeat, and the header."""
import time

import requests


def ask(body, key):
    for attempt in range(5):
        response = requests.post("https://api.anthropic.com/v1/messages", json=body, headers={"x-api-key": key}, timeout=30)  # @ raw-http specific|none ? unhandled-call
        if response.status_code in (429, 500, 529):
            time.sleep(float(response.headers.get("retry-after", 2**attempt)))
            continue
        response.raise_for_status()
        return response.json()
    raise RuntimeError("no answer")
