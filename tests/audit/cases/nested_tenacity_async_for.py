"""AsyncRetrying around the SDK's own retries."""
import anthropic
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential


async def ask(client: anthropic.AsyncAnthropic, prompt):
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type((anthropic.RateLimitError, anthropic.APITimeoutError)),
        wait=wait_random_exponential(max=20),
        stop=stop_after_attempt(4),
    ):
        with attempt:
            return await client.messages.create(model="claude-haiku-5-5", max_tokens=10, messages=prompt, timeout=20)  # @ sdk-async none|by-decorator ! nested-retries ? unhandled-call ignores-retry-after
