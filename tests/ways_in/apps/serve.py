"""An ASGI app under uvicorn with two workers, on a port of the system's choice, which is printed."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from typing import Any

import uvicorn
from anthropic import AsyncAnthropic


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Make a call, and answer with the worker's process id."""
    del receive
    if scope["type"] != "http":
        return
    async with AsyncAnthropic(max_retries=0) as client:
        await client.messages.create(
            model="claude-haiku-5-5", max_tokens=5, messages=[{"role": "user", "content": "Why is the sky blue?"}]
        )
    await asyncio.sleep(0)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config("serve:app", workers=2, log_level="error", lifespan="off")
    from uvicorn.supervisors import Multiprocess

    print(listener.getsockname()[1], flush=True)
    Multiprocess(config, target=uvicorn.Server(config).run, sockets=[listener]).run()
    sys.exit(0)
