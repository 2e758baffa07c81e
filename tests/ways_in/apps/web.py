"""A web app for gunicorn and uvicorn that knows nothing of claudescope: each request makes one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from anthropic import Anthropic, APIError

_client = Anthropic(max_retries=0)


def app(environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
    """Answer with the model's name."""
    del environ
    try:
        answer = _client.messages.create(
            model="claude-haiku-5-5", max_tokens=5, messages=[{"role": "user", "content": "Why is the sky blue?"}]
        )
    except APIError as error:
        start_response("502 Bad Gateway", [])
        return [type(error).__name__.encode()]
    start_response("200 OK", [])
    return [answer.model.encode()]
