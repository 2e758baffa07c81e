"""Tasks in a set, nobody looks."""
import asyncio
import anthropic

client = anthropic.AsyncAnthropic(timeout=15)
running = set()


async def note(text):
    reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=text)  # @ sdk-async none ! fire-and-forget unhandled-call
    print(reply.content[0].text)


async def handle(text):
    task = asyncio.create_task(note(text))
    running.add(task)
    task.add_done_callback(running.discard)
