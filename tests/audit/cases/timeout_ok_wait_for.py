"""wait_for around the call."""
import asyncio

import anthropic
from fastapi import FastAPI, HTTPException

app = FastAPI()
client = anthropic.AsyncAnthropic()


@app.post("/ask")
async def ask(body: dict):
    try:
        reply = await asyncio.wait_for(client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=body["messages"]), 20)  # @ sdk-async specific
    except (anthropic.APIError, TimeoutError) as error:
        raise HTTPException(503, "unavailable") from error
    return reply.content[0].text
