"""An async helper that drops every error."""
from anthropic import APIError, AsyncAnthropic

claude = AsyncAnthropic(timeout=10)


async def prefetch(topics):
    for topic in topics:
        try:
            await claude.messages.create(model="claude-haiku-5-5", max_tokens=1, messages=[{"role": "user", "content": topic}])  # @ sdk-async swallowed ! swallowed-error
        except APIError:
            continue
