"""A global that is set later."""
import anthropic

_client = None


def get_client():
    global _client
    if _client is None:
        _client = anthropic.Anthropic(timeout=9)
    return _client


def ask(prompt):
    return get_client().messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync none ! unhandled-call
