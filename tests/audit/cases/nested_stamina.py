"""stamina around a client that retries."""
import anthropic
import stamina

claude = anthropic.AsyncAnthropic(timeout=20)


@stamina.retry(on=(anthropic.RateLimitError, anthropic.InternalServerError), attempts=4)
async def plan(goal):
    message = await claude.messages.create(model="claude-opus-5-5", max_tokens=400, messages=goal)  # @ sdk-async by-decorator ! nested-retries ? unhandled-call ignores-retry-after
    return message.content[0].text
