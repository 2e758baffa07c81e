"""In an SSE frame."""
import json

import anthropic
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

client = anthropic.AsyncAnthropic(timeout=60)


async def frames(prompt):
    try:
        async with client.messages.stream(model="claude-haiku-5-5", max_tokens=500, messages=prompt) as stream:  # @ sdk-async specific ! error-shown-to-user
            async for text in stream.text_stream:
                yield f"data: {json.dumps(text)}\n\n"
    except anthropic.APIError as error:
        yield f"event: error\ndata: {json.dumps({'message': str(error)})}\n\n"


async def chat(request):
    return StreamingResponse(frames(await request.json()), media_type="text/event-stream")


app = Starlette(routes=[Route("/chat", chat, methods=["POST"])])
