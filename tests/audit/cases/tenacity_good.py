"""tenacity for what may pass, instead of the SDK's retries, and with the header."""
import anthropic
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

client = anthropic.Anthropic(max_retries=0, timeout=30)
backoff = wait_random_exponential(max=30)


def pause(state):
    error = state.outcome.exception()
    header = error.response.headers.get("retry-after") if isinstance(error, anthropic.RateLimitError) else None
    return float(header) if header else backoff(state)


@retry(retry=retry_if_exception_type((anthropic.RateLimitError, anthropic.InternalServerError, anthropic.APIConnectionError)), wait=pause, stop=stop_after_attempt(4), reraise=True)
def ask(prompt):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync by-decorator ? unhandled-call
