"""match on stop_reason."""
import json

import anthropic

client = anthropic.Anthropic(timeout=60)


def facts(topic):
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=200, messages=topic)  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise RuntimeError("no facts") from error
    match reply:
        case anthropic.types.Message(stop_reason="end_turn", content=[block]):
            return json.loads(block.text)
        case _:
            raise ValueError("not a whole answer")
