"""FastAPI's handler of the app catches."""
import logging

import anthropic
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

log = logging.getLogger(__name__)
app = FastAPI()


async def get_client():
    async with anthropic.AsyncAnthropic(timeout=20) as client:
        yield client


@app.exception_handler(anthropic.APIError)
async def unavailable(request: Request, exc: anthropic.APIError):
    log.error("claude: %s %s", request.url.path, exc)
    return JSONResponse({"detail": "Please try again"}, status_code=503)


@app.post("/ask")
async def ask(body: dict, client: anthropic.AsyncAnthropic = Depends(get_client)):
    reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=body["messages"])  # @ sdk-async by-caller
    return {"answer": reply.content[0].text}
