"""A callback reads the result."""
import asyncio
import logging

import anthropic

client = anthropic.AsyncAnthropic(timeout=10)
tasks = set()


async def title(text):
    return await client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=text)  # @ sdk-async by-caller ? unhandled-call


def done(task):
    tasks.discard(task)
    if not task.cancelled() and task.exception():
        logging.error("title failed", exc_info=task.exception())


def later(text):
    task = asyncio.ensure_future(title(text))
    tasks.add(task)
    task.add_done_callback(done)
