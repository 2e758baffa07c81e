"""The try holds create_task, not the task."""
import asyncio

import anthropic

client = anthropic.AsyncAnthropic()
tasks = set()


async def note(text):
    reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=[{"role": "user", "content": text}])  # @ sdk-async none ! unhandled-call fire-and-forget ? no-timeout
    print(reply.content[0].text)


async def on_message(text):
    try:
        task = asyncio.create_task(note(text))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    except anthropic.APIError as error:
        print("failed", error)
