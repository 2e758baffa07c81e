"""Aliases all over."""
import anthropic as ant
from anthropic import Anthropic as Claude

create = Claude(timeout=9).messages.create


def a():
    try:
        return create(model="claude-haiku-5-5", max_tokens=9, messages=[])  # @ sdk-sync specific
    except (ant.RateLimitError, ant.APIStatusError, ant.APIConnectionError) as problem:
        raise RuntimeError("a") from problem
