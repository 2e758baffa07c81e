"""A page that tells people what happens while they wait for an answer.

Run it with `uvicorn app:app`. A policy in the file that `CLAUDESCOPE_POLICY` names says what a call survives.
"""

from __future__ import annotations

from pathlib import Path

from anthropic import AsyncAnthropic
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, StreamingResponse
from starlette.routing import Route

import claudescope
import claudescope.web

PAGE = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
claudescope.instrument()
claudescope.protect()
claude = AsyncAnthropic()


async def answer_to(question: str) -> str:
    """Answer a question. The stream is read here, so that its pieces are followed."""
    async with claude.messages.stream(
        model="claude-opus-5-5", max_tokens=500, messages=[{"role": "user", "content": question}]
    ) as stream:
        return await stream.get_final_text()


async def page(_: Request) -> HTMLResponse:
    """The page."""
    return HTMLResponse(PAGE)


async def ask(request: Request) -> StreamingResponse:
    """Server-sent events: `progress` for each state, then `answer` or `error`. Closing the page cancels the call."""
    question = str((await request.json())["question"])
    locale = request.headers.get("accept-language")
    followed = claudescope.progress(answer_to(question), locale=locale, every="1s")
    events = claudescope.web.progress_events(followed, lambda text: {"text": text}, instance="/ask", locale=locale)
    return StreamingResponse(events, media_type="text/event-stream")


app = Starlette(routes=[Route("/", page), Route("/ask", ask, methods=["POST"])])
claudescope.web.install(app)
