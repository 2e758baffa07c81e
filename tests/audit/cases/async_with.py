"""A client in async with, and wait_for in an endpoint."""
import asyncio
from anthropic import AsyncAnthropic, APIError
from fastapi import FastAPI, HTTPException

app = FastAPI()


@app.get("/x")
async def x():
    async with AsyncAnthropic() as client:
        try:
            reply = await asyncio.wait_for(client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[]), timeout=5)  # @ sdk-async specific
        except (APIError, asyncio.TimeoutError) as error:
            raise HTTPException(503, "later") from error
    return reply.content[0].text
