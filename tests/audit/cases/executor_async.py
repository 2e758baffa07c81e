"""run_in_executor and partial."""
import asyncio
import functools
import anthropic

client = anthropic.Anthropic(timeout=9)


def ask(prompt):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync by-caller


async def main(prompt):
    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(None, functools.partial(ask, prompt))
    except anthropic.APIError as error:
        raise SystemExit(str(error))
