"""Catches what the API never raises."""
import json

import anthropic

client = anthropic.Anthropic()


def extract(text):
    try:
        message = client.messages.create(model="claude-sonnet-5-5", max_tokens=300, messages=[{"role": "user", "content": text}])  # @ sdk-sync none ! unhandled-call stop-reason-ignored ? no-timeout
        return json.loads(message.content[0].text)
    except (json.JSONDecodeError, KeyError, IndexError):
        return None
