"""After the last attempt, a default."""
import time

import anthropic

client = anthropic.Anthropic(max_retries=0, timeout=10)


def ask(prompt):
    for attempt in range(3):
        try:
            return client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=prompt).content[0].text  # @ sdk-sync specific ! fallback-hides-error ? unhandled-call swallowed-error ignores-retry-after
        except anthropic.InternalServerError:
            time.sleep(2**attempt)
    return "I don't know."
