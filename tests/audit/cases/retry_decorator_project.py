"""A retry decorator of the project, without a wait."""
import functools
import anthropic

client = anthropic.Anthropic(timeout=9)


def retry(times):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args):
            for attempt in range(times):
                try:
                    return function(*args)
                except Exception:
                    if attempt == times - 1:
                        raise
        return wrapper
    return decorate


@retry(3)
def ask(prompt):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync by-decorator ! retry-non-retryable nested-retries no-backoff ? unhandled-call broad-except
