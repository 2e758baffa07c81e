"""An ASGI app for uvicorn that knows nothing of claudescope: each request makes one call."""

from __future__ import annotations

from typing import Any

from anthropic import AsyncAnthropic


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Make a call, and answer."""
    del receive
    if scope["type"] != "http":
        return
    async with AsyncAnthropic(max_retries=0) as client:
        await client.messages.create(
            model="claude-haiku-5-5", max_tokens=5, messages=[{"role": "user", "content": "Why is the sky blue?"}]
        )
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})
