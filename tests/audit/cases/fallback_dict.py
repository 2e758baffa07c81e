"""A neutral judgement takes the place of an error."""
import json

import anthropic

client = anthropic.Anthropic(timeout=10)


def sentiment(text):
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=text)  # @ sdk-sync specific ! fallback-hides-error
        if reply.stop_reason != "end_turn":
            raise ValueError(reply.stop_reason)
        return json.loads(reply.content[0].text)
    except (anthropic.APIError, ValueError):
        return {"label": "neutral", "score": 0.5}
