"""One task for each row."""
import asyncio

import anthropic

client = anthropic.AsyncAnthropic(timeout=20)


async def label(row):
    reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=row["text"])  # @ sdk-async by-caller ! unbounded-concurrency ? stop-reason-ignored
    row["label"] = reply.content[0].text


async def label_all(rows):
    try:
        async with asyncio.TaskGroup() as tg:
            for row in rows:
                tg.create_task(label(row))
    except* anthropic.APIError as group:
        print(len(group.exceptions), "failed")
        raise
