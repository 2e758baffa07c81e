"""Uses what the package hands on."""
import llm
from llm import claude as c


def sync(prompt):
    return c.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync none ! unhandled-call


async def other(prompt):
    return await llm.get_client().messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-async none ! unhandled-call


def third(prompt):
    return llm.claude.messages.count_tokens(model="claude-haiku-5-5", messages=prompt)  # @ sdk-sync none ! unhandled-call
