"""functools.partial of a method."""
from functools import partial

import anthropic

ask = partial(anthropic.Anthropic(timeout=5).messages.create, model="claude-3-haiku-20240307", max_tokens=9)


def hello():
    return ask(messages=[{"role": "user", "content": "hi"}])  # @ sdk-sync none ! unhandled-call retired-model
