"""Moved from claude-2.1."""
import anthropic

client = anthropic.Anthropic(timeout=20)


def ask(prompt):
    """Ask; formerly `model="claude-2.1"`."""
    try:
        return client.messages.create(model="claude-opus-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error
