"""In portions of five."""
import asyncio
import anthropic

client = anthropic.AsyncAnthropic(timeout=9)


async def one(prompt):
    try:
        return await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-async specific
    except anthropic.APIError as error:
        raise RuntimeError("one") from error


async def main(prompts):
    answers = []
    for start in range(0, len(prompts), 5):
        answers += await asyncio.gather(*(one(p) for p in prompts[start : start + 5]))
    return answers
