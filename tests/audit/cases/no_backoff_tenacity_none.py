"""tenacity, but no wait."""
import anthropic
import tenacity

client = anthropic.Anthropic(max_retries=0, timeout=20)


@tenacity.retry(stop=tenacity.stop_after_attempt(3), retry=tenacity.retry_if_exception_type(anthropic.InternalServerError), reraise=True)
def ask(prompt):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=10, messages=prompt)  # @ sdk-sync by-decorator ! no-backoff ? ignores-retry-after unhandled-call
