"""Reads the header by a helper."""
import time

import requests


def pause_of(response, attempt):
    try:
        return float(response.headers["retry-after"])
    except (KeyError, ValueError):
        return 2.0**attempt


def send(body):
    for attempt in range(6):
        response = requests.post("https://api.anthropic.com/v1/messages", json=body, timeout=60)  # @ raw-http specific ? unhandled-call
        if response.status_code in {429, 529}:
            time.sleep(pause_of(response, attempt))
            continue
        response.raise_for_status()
        return response.json()
    raise RuntimeError("the API is busy")
