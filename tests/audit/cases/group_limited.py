"""anyio with a limiter."""
import anthropic
import anyio

client = anthropic.AsyncAnthropic(timeout=15)
limiter = anyio.CapacityLimiter(5)


async def one(prompt, out):
    async with limiter:
        out.append(await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt))  # @ sdk-async by-caller


async def main(prompts):
    out = []
    try:
        async with anyio.create_task_group() as group:
            for prompt in prompts:
                group.start_soon(one, prompt, out)
    except* anthropic.APIError as errors:
        raise SystemExit(str(errors.exceptions))
    return out
