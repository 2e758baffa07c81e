"""A helper that calls what it is given."""
import time
import anthropic

client = anthropic.Anthropic(max_retries=0, timeout=5)


def with_retry(call, attempts=3):
    for attempt in range(attempts):
        try:
            return call()
        except anthropic.RateLimitError as error:
            if attempt + 1 == attempts:
                raise
            time.sleep(float(error.response.headers.get("retry-after", 1)))


def ask(prompt):
    return with_retry(lambda: client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt))  # @ sdk-sync by-caller|by-decorator ? unhandled-call
