"""stamina for rate limits, the SDK does not retry, an if for the header."""
import anthropic
import stamina

client = anthropic.Anthropic(max_retries=0, timeout=20)


@stamina.retry(on=anthropic.APIConnectionError, attempts=3)
def ask(prompt):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync by-decorator ? unhandled-call
