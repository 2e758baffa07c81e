"""A constant wait."""
import time
import anthropic

client = anthropic.Anthropic(max_retries=0, timeout=15)


def ask(prompt):
    reply = None
    tries = 0
    while reply is None and tries < 3:
        tries += 1
        try:
            reply = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync specific|swallowed ! ignores-retry-after ? no-backoff swallowed-error
        except anthropic.RateLimitError:
            time.sleep(3)
    return reply
