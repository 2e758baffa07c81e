"""tenacity instead of the SDK's retries, without the header."""
import anthropic
import tenacity

client = anthropic.Anthropic(max_retries=0, timeout=30)


@tenacity.retry(retry=tenacity.retry_if_exception_type(anthropic.RateLimitError), wait=tenacity.wait_exponential(), stop=tenacity.stop_after_attempt(5))
def ask(prompt):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync by-decorator ! ignores-retry-after ? unhandled-call
