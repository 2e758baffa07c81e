"""backoff gives up on requests that are wrong."""
import anthropic
import backoff

client = anthropic.Anthropic(max_retries=0, timeout=15)


def hopeless(error):
    return isinstance(error, anthropic.APIStatusError) and error.status_code < 500 and error.status_code != 429


@backoff.on_exception(backoff.expo, (anthropic.APIStatusError, anthropic.APIConnectionError), max_tries=5, giveup=hopeless)
def ask(prompt):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=10, messages=prompt)  # @ sdk-sync by-decorator ! ignores-retry-after ? unhandled-call
