"""A partial of a method, and a method in a dict."""
from functools import partial

import anthropic

client = anthropic.Anthropic(timeout=9)
haiku = partial(client.messages.create, model="claude-haiku-5-5", max_tokens=5)
CALLS = {"ask": client.messages.create, "count": client.messages.count_tokens}


def ask(prompt):
    try:
        haiku(messages=prompt)  # @ sdk-sync specific
        return CALLS["ask"](model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync specific
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error
