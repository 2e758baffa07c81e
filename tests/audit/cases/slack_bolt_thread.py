"""Slack: the handler starts a task for each mention."""
import asyncio

import anthropic
from slack_bolt.async_app import AsyncApp

app = AsyncApp(token="t")
claude = anthropic.AsyncAnthropic(timeout=30)


async def reply(text, say):
    answer = await claude.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=[{"role": "user", "content": text}])  # @ sdk-async none ! fire-and-forget unhandled-call
    await say(answer.content[0].text)


@app.event("app_mention")
async def mention(event, say):
    asyncio.create_task(reply(event["text"], say))
