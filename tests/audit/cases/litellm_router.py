"""litellm with retries of its own loop."""
import time
import litellm


def ask(messages):
    for attempt in range(3):
        try:
            return litellm.completion(model="claude-haiku-5-5", messages=messages, timeout=15)  # @ litellm bare-or-broad ! broad-except retry-non-retryable ? ignores-retry-after
        except Exception:
            time.sleep(2**attempt)
    return None
