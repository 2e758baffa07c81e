"""A chat service: POST /chat with {"message": "…"} streams the answer back as it is written."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from anthropic import APIError, AsyncAnthropic
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel


class Question(BaseModel):
    """What a user asks."""

    message: str


claude = AsyncAnthropic()


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncGenerator[None, None]:
    """Close the client's connections when the service stops."""
    yield
    await claude.close()


app = FastAPI(lifespan=lifespan)


@app.post("/chat")
async def chat(question: Question) -> StreamingResponse:
    """Stream the answer to a question."""
    return StreamingResponse(answer(question.message), media_type="text/plain")


async def answer(message: str) -> AsyncIterator[str]:
    """Yield the text of Claude's answer as it arrives."""
    try:
        async with claude.messages.stream(
            model="claude-opus-5-5", max_tokens=500, messages=[{"role": "user", "content": message}]
        ) as stream:
            async for text in stream.text_stream:
                yield text
    except APIError:
        yield "\nSorry, something went wrong. Please ask again."
