"""backoff over APIError around the SDK's retries."""
import anthropic
import backoff

client = anthropic.AsyncAnthropic()


@backoff.on_exception(backoff.expo, anthropic.APIError, max_tries=4)
async def ask(prompt):
    return await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-async by-decorator ! retry-non-retryable nested-retries ? unhandled-call no-timeout ignores-retry-after
