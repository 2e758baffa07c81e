"""SSE: the error in a frame."""
import json
import anthropic
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()
client = anthropic.AsyncAnthropic(timeout=30)


@app.get("/sse")
async def sse(prompt: str):
    async def frames():
        try:
            async with client.messages.stream(model="claude-haiku-5-5", max_tokens=99, messages=[{"role": "user", "content": prompt}]) as stream:  # @ sdk-async specific ! error-shown-to-user
                async for text in stream.text_stream:
                    yield f"data: {json.dumps(text)}\n\n"
        except anthropic.APIError as error:
            yield f"event: error\ndata: {error}\n\n"
    return StreamingResponse(frames(), media_type="text/event-stream")
