"""The sync part is a nested function for a thread."""
import anthropic
from starlette.concurrency import run_in_threadpool

client = anthropic.Anthropic(timeout=20)


async def ask(prompt):
    def work():
        return client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync by-caller

    try:
        return await run_in_threadpool(work)
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error
