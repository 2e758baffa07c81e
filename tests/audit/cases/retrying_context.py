"""tenacity's context around a call."""
import anthropic
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

client = anthropic.AsyncAnthropic(timeout=20)


async def ask(prompt):
    async for attempt in AsyncRetrying(stop=stop_after_attempt(3), wait=wait_exponential(), retry=retry_if_exception_type(anthropic.RateLimitError)):
        with attempt:
            return await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-async by-decorator ! nested-retries ? unhandled-call ignores-retry-after
