"""Starlette with a Route and no timeout."""
import logging
from anthropic import APIError, AsyncAnthropic
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

log = logging.getLogger(__name__)
claude = AsyncAnthropic(max_retries=1)


async def endpoint(request):
    data = await request.json()
    try:
        reply = await claude.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=data)  # @ sdk-async specific ! no-timeout
    except APIError as e:
        log.exception("claude")
        return JSONResponse({"error": "unavailable"}, status_code=503)
    return JSONResponse({"text": reply.content[0].text})


app = Starlette(routes=[Route("/", endpoint, methods=["POST"])])
