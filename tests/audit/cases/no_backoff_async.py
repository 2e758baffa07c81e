"""An async loop that tries again without a pause."""
import anthropic

client = anthropic.AsyncAnthropic(max_retries=0, timeout=20)


async def ask(prompt):
    last = None
    for _ in range(5):
        try:
            return await client.messages.create(model="claude-haiku-5-5", max_tokens=10, messages=prompt)  # @ sdk-async specific ! no-backoff ? ignores-retry-after swallowed-error unhandled-call
        except anthropic.InternalServerError as error:
            last = error
    raise last
