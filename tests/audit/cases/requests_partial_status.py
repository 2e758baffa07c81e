"""requests: only prints when the status is bad."""
import requests


def ask(body, key):
    r = requests.post("https://api.anthropic.com/v1/messages", json=body, headers={"x-api-key": key}, timeout=30)  # @ raw-http specific ? unhandled-call swallowed-error
    if not r.ok:
        print("bad status", r.status_code)
        return None
    return r.json()
