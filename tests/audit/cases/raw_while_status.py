"""Raw: until it is 200."""
import time
import requests

URL = "https://api.anthropic.com/v1/messages"


def ask(body, headers):
    response = requests.post(URL, json=body, headers=headers, timeout=20)  # @ raw-http specific ? unhandled-call retry-non-retryable ignores-retry-after
    while response.status_code != 200:
        time.sleep(5)
        response = requests.post(URL, json=body, headers=headers, timeout=20)  # @ raw-http specific ! retry-non-retryable ignores-retry-after ? unhandled-call
    return response.json()
