"""FastAPI: a client in app.state, made in the lifespan."""
import contextlib

import anthropic
from fastapi import FastAPI, Request

@contextlib.asynccontextmanager
async def lifespan(app):
    app.state.claude = anthropic.AsyncAnthropic(timeout=15)
    yield
    await app.state.claude.close()


app = FastAPI(lifespan=lifespan)


@app.post("/echo")
async def echo(request: Request):
    body = await request.json()
    reply = await request.app.state.claude.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=body)  # @ sdk-async none ! unhandled-call
    return reply.content[0].text
