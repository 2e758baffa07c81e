"""The client of the lifespan, by request.app.state, and by a yielded dict."""
from contextlib import asynccontextmanager

import anthropic
from fastapi import FastAPI, HTTPException, Request


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with anthropic.AsyncAnthropic(timeout=20) as client:
        yield {"claude": client}


app = FastAPI(lifespan=lifespan)


@app.post("/ask")
async def ask(request: Request):
    try:
        reply = await request.state.claude.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=await request.json())  # @ sdk-async specific
    except anthropic.APIError as error:
        raise HTTPException(503, "later") from error
    return reply.content[0].text
