"""Gmail's and Slack's, requests to another host, a mock."""
from unittest.mock import MagicMock

import requests
from googleapiclient.discovery import build

service = build("gmail", "v1")
client = MagicMock()


def run():
    service.users().messages().list(userId="me").execute()
    client.messages.create(model="claude-2.1")
    requests.post("https://api.openai.com/v1/messages", json={"model": "claude-2.1"}, timeout=3)
    requests.get("https://docs.anthropic.com/en/api/messages")
    print("client.messages.create(model='claude-2.1')")
