"""FastAPI: a middleware function catches."""
import logging
import anthropic
from fastapi import FastAPI
from fastapi.responses import JSONResponse

log = logging.getLogger(__name__)
app = FastAPI()
client = anthropic.AsyncAnthropic(timeout=10)


@app.middleware("http")
async def catch(request, call_next):
    try:
        return await call_next(request)
    except anthropic.APIError as error:
        log.error("claude: %s", error)
        return JSONResponse({"detail": "later"}, status_code=503)


@app.get("/q")
async def q(text: str):
    reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": text}])  # @ sdk-async by-caller
    return reply.content[0].text
