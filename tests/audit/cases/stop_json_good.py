"""JSON with the look."""
import json
import anthropic

client = anthropic.Anthropic(timeout=30)


def order(prompt):
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=99, messages=prompt)  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise RuntimeError("no order") from error
    if reply.stop_reason == "max_tokens":
        raise ValueError("cut off")
    return json.loads(reply.content[0].text)
