"""A function calls itself again."""
import time
import anthropic

client = anthropic.Anthropic(max_retries=0, timeout=9)


def ask(prompt, left=3):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync specific ! ignores-retry-after
    except anthropic.RateLimitError:
        if not left:
            raise
        time.sleep(5)
        return ask(prompt, left - 1)
