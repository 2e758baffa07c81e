"""A service with problem documents, on FastAPI: POST /ask and POST /stream with {"question": "…"}.

Run it with `uvicorn fastapi_app:app`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from anthropic import AsyncAnthropic
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

import claudescope.web


class Question(BaseModel):
    """What a consumer asks."""

    question: str = Field(min_length=1, max_length=10_000)


class Reply(BaseModel):
    """What the consumer gets."""

    answer: str


class EventStream(StreamingResponse):
    """A stream of server-sent events."""

    media_type = "text/event-stream"


EVENT = {"type": "object", "properties": {"event": {"type": "string"}, "data": {"type": "string"}}}
app = FastAPI(title="Questions and answers", responses={400: {"description": "The body can't be read."}})
claudescope.web.install(app)
claude = AsyncAnthropic(max_retries=0)


@app.post("/ask")
async def ask(asked: Question) -> Reply:
    """Answer a question."""
    message = await claude.messages.create(
        model="claude-opus-5-5", max_tokens=500, messages=[{"role": "user", "content": asked.question}]
    )
    return Reply(answer="".join(block.text for block in message.content if block.type == "text"))


@app.post("/stream", response_class=EventStream, responses={200: {"content": {"text/event-stream": {"schema": EVENT}}}})
async def stream(asked: Question) -> StreamingResponse:
    """Answer a question with server-sent events, the last of which is `error` where the answer breaks off."""
    return EventStream(events(asked.question))


async def events(question: str) -> AsyncIterator[str]:
    """Yield an event for each piece of the answer."""
    async with claude.messages.stream(
        model="claude-opus-5-5", max_tokens=500, messages=[{"role": "user", "content": question}]
    ) as answer:
        async for text in answer.text_stream:
            yield "".join(f"data: {line}\n" for line in text.split("\n")) + "\n"
