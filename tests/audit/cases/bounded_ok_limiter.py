"""aiolimiter in a decorator-like helper, and anyio's CapacityLimiter."""
import anthropic
import anyio

client = anthropic.AsyncAnthropic(timeout=20)
lanes = anyio.CapacityLimiter(4)


async def ask(prompt, answers):
    async with lanes:
        answers.append(await client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=prompt))  # @ sdk-async by-caller


async def ask_all(prompts):
    answers = []
    try:
        async with anyio.create_task_group() as group:
            for prompt in prompts:
                group.start_soon(ask, prompt, answers)
    except* anthropic.APIError as errors:
        raise RuntimeError("failed") from errors
    return answers
