"""A client that a walrus makes, and one of `or`."""
import anthropic

_client = None


def client():
    global _client
    return _client or (_client := anthropic.Anthropic(timeout=9))


def ask(prompt):
    try:
        return client().messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error
