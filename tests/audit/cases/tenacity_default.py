"""tenacity without any argument."""
import anthropic
from tenacity import retry

client = anthropic.Anthropic()


@retry
def ask(prompt):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync by-decorator ! retry-non-retryable nested-retries no-backoff ? unhandled-call broad-except no-timeout ignores-retry-after
