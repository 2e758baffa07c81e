"""The generator catches."""
import logging

import anthropic
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()
client = anthropic.AsyncAnthropic(timeout=60)
log = logging.getLogger(__name__)


async def words(prompt):
    try:
        async with client.messages.stream(model="claude-haiku-5-5", max_tokens=500, messages=[{"role": "user", "content": prompt}]) as stream:  # @ sdk-async specific
            async for text in stream.text_stream:
                yield f"data: {text}\n\n"
    except anthropic.APIError as error:
        log.error("stream failed: %s", error)
        yield "event: error\ndata: The answer was cut off.\n\n"


@app.get("/words")
async def get_words(prompt: str):
    return StreamingResponse(words(prompt), media_type="text/event-stream")
