"""The try holds StreamingResponse, not what it sends."""
import anthropic
from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse

app = FastAPI()
client = anthropic.AsyncAnthropic()


async def words(prompt):
    async with client.messages.stream(model="claude-haiku-5-5", max_tokens=500, messages=[{"role": "user", "content": prompt}]) as stream:  # @ sdk-async none|by-caller ! stream-error-unhandled ? unhandled-call no-timeout
        async for text in stream.text_stream:
            yield text


@app.get("/words")
async def get_words(prompt: str):
    try:
        return StreamingResponse(words(prompt), media_type="text/plain")
    except anthropic.APIError as error:
        raise HTTPException(503, "try later") from error
