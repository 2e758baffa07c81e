"""JSON without a look at stop_reason, in a helper."""
import json
import anthropic

client = anthropic.Anthropic(timeout=30)


def _text(prompt):
    reply = client.messages.create(model="claude-haiku-5-5", max_tokens=99, messages=prompt)  # @ sdk-sync by-caller ! stop-reason-ignored
    return reply.content[0].text


def order(prompt):
    try:
        return json.loads(_text(prompt))
    except anthropic.APIError as error:
        raise RuntimeError("no order") from error
