"""Calls itself again."""
import anthropic

client = anthropic.Anthropic(max_retries=0, timeout=20)


def ask(prompt, left=3):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=10, messages=prompt)  # @ sdk-sync specific ! no-backoff ? ignores-retry-after unhandled-call
    except anthropic.APITimeoutError:
        if left == 0:
            raise
        return ask(prompt, left - 1)
