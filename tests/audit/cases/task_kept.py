"""A task that is kept, with a callback that looks."""
import asyncio
import logging
import anthropic

client = anthropic.AsyncAnthropic(timeout=30)
tasks = set()


def done(task):
    tasks.discard(task)
    if task.exception():
        logging.error("failed", exc_info=task.exception())


async def warm(prompt):
    await client.messages.create(model="claude-haiku-5-5", max_tokens=1, messages=prompt)  # @ sdk-async by-caller


async def start():
    task = asyncio.create_task(warm([]))
    tasks.add(task)
    task.add_done_callback(done)
