"""A helper looks at it."""
import json

import anthropic

client = anthropic.Anthropic(timeout=60)


def whole(message):
    if message.stop_reason in {"max_tokens", "refusal"}:
        raise ValueError(message.stop_reason)
    return message.content[0].text


def facts(topic):
    try:
        return json.loads(whole(client.messages.create(model="claude-haiku-5-5", max_tokens=200, messages=topic)))  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise RuntimeError("no facts") from error
