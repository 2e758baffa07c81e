"""A session; nobody looks, no timeout."""
import os
import requests

session = requests.Session()
session.headers["x-api-key"] = os.environ["KEY"]
ENDPOINT = "https://api.anthropic.com" + "/v1/messages"


def ask(prompt):
    data = session.post(ENDPOINT, json={"model": "claude-haiku-5-5", "max_tokens": 9, "messages": prompt})  # @ raw-http none ! unhandled-call no-timeout
    return data.json()["content"][0]["text"]
