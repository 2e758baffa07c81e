"""A decorator of the project, with arguments, catches and logs."""
import functools
import logging

import anthropic

log = logging.getLogger(__name__)


def guarded(default=None):
    def wrap(function):
        @functools.wraps(function)
        async def inner(*args, **kwargs):
            try:
                return await function(*args, **kwargs)
            except anthropic.APIError as error:
                log.warning("%s failed: %s", function.__name__, error)
                return default

        return inner

    return wrap


client = anthropic.AsyncAnthropic(timeout=20)


@guarded(default="")
async def ask(prompt):
    return await client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-async by-decorator
