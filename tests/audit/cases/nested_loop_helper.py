"""The loop stands in a helper that takes a callable."""
import time

import anthropic

client = anthropic.Anthropic(timeout=20)


def patiently(call, *args, times=3):
    delay = 1.0
    while True:
        try:
            return call(*args)
        except (anthropic.RateLimitError, anthropic.APIConnectionError):
            times -= 1
            if times == 0:
                raise
            time.sleep(delay)
            delay *= 2


def _ask(prompt):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=10, messages=prompt)  # @ sdk-sync by-caller ! nested-retries ? unhandled-call ignores-retry-after


def ask(prompt):
    return patiently(_ask, prompt)
