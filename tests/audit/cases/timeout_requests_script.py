"""requests waits for ever, in a script too."""
import os

import requests

HEADERS = {"x-api-key": os.environ["ANTHROPIC_API_KEY"], "anthropic-version": "2023-06-01"}
BASE = "https://api.anthropic.com/v1"


def count(text):
    try:
        response = requests.post(f"{BASE}/messages/count_tokens", headers=HEADERS, json={"model": "claude-haiku-5-5", "messages": text})  # @ raw-http specific ! no-timeout
        response.raise_for_status()
    except requests.RequestException as error:
        raise SystemExit(f"no count: {error}") from error
    return response.json()["input_tokens"]
