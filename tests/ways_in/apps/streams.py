"""A web app for greenlet servers: each request reads a stream and drops another in the middle."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from anthropic import Anthropic

if os.environ.get("INSTRUMENT"):
    import claudescope

    claudescope.configure()

_client = Anthropic(max_retries=0)


def app(environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
    """Make two calls, and answer with the number of events that were read."""
    del environ
    read = 0
    for wanted in (1000, 2):
        for event in _client.messages.create(
            model="claude-haiku-5-5",
            max_tokens=20,
            messages=[{"role": "user", "content": "Why is the sky blue?"}],
            stream=True,
        ):
            del event
            read += 1
            if read >= wanted:
                break
    start_response("200 OK", [])
    return [str(read).encode()]
