"""Three attempts, at once."""
import os

import requests


def ask(question):
    for _ in range(3):
        answer = requests.post("https://api.anthropic.com/v1/messages", timeout=20, headers={"x-api-key": os.environ["KEY"]}, json={"model": "claude-haiku-5-5", "messages": question})  # @ raw-http specific ! no-backoff ? ignores-retry-after unhandled-call
        if answer.status_code in (429, 500, 529):
            continue
        answer.raise_for_status()
        return answer.json()
    else:
        raise RuntimeError("overloaded")
