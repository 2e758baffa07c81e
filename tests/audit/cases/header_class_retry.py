"""A client class of our own over requests."""
import time

import requests


class Claude:
    url = "https://api.anthropic.com/v1/messages"

    def __init__(self, key):
        self.session = requests.Session()
        self.session.headers["x-api-key"] = key

    def send(self, body):
        for attempt in range(6):
            response = self.session.post(self.url, json=body, timeout=60)  # @ raw-http specific ! ignores-retry-after ? unhandled-call
            if response.status_code == 429 or response.status_code >= 500:
                time.sleep(1.5**attempt)
                continue
            response.raise_for_status()
            return response.json()
        raise RuntimeError("the API is busy")
