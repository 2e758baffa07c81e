"""A try around the Response; the generator runs later."""
import anthropic
from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse

app = FastAPI()
client = anthropic.AsyncAnthropic(timeout=30)


async def words(prompt):
    async with client.messages.stream(model="claude-haiku-5-5", max_tokens=99, messages=prompt) as stream:  # @ sdk-async none|specific|by-caller ! stream-error-unhandled ? unhandled-call
        async for text in stream.text_stream:
            yield text


@app.get("/stream")
async def stream(prompt: str):
    try:
        return StreamingResponse(words(prompt))
    except anthropic.APIError:
        raise HTTPException(503, "later")
