"""to_thread, by a lambda and by name."""
import asyncio
import functools

import anthropic

client = anthropic.Anthropic(timeout=20)


def complete(prompt):
    return client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=prompt)  # @ sdk-sync by-caller


async def ask(prompt):
    try:
        return await asyncio.to_thread(complete, prompt)
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error


async def ask_in_pool(prompt):
    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(None, functools.partial(complete, prompt))
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error


async def ask_by_lambda(prompt):
    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(None, lambda: client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=prompt))  # @ sdk-sync by-caller
    except anthropic.APIError as error:
        raise RuntimeError("no answer") from error
