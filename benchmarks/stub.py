"""A fake API inside the client's transport. It responds at once with realistic responses, without server or network.

Imports the SDK only, as it also runs in environments without claudescope.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from anthropic import _base_client

__all__ = ["REQUEST", "STREAM_EVENTS", "AsyncTransport", "Transport", "http"]

# The HTTP library of the installed SDK: httpx before 1.0, httpx2 since.
http: Any = getattr(_base_client, "httpx2", None) or getattr(_base_client, "httpx")  # noqa: B009

STREAM_EVENTS: Final = 200
"""Events of a stream, including the first and the last."""

REQUEST: Final[dict[str, Any]] = {
    "model": "claude-opus-5-5",
    "max_tokens": 1000,
    "messages": [{"role": "user", "content": "Why is the sky blue?"}],
}

_USAGE: Final = {
    "input_tokens": 10,
    "output_tokens": 200,
    "cache_read_input_tokens": 1000,
    "cache_creation_input_tokens": 0,
    "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
    "service_tier": "standard",
}
_MESSAGE: Final = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [{"type": "text", "text": "Because of Rayleigh scattering. " * 20}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": _USAGE,
}
_HEADERS: Final = {
    "request-id": "req_1",
    **{
        f"anthropic-ratelimit-{limit}-{part}": value
        for limit in ("requests", "tokens", "input-tokens", "output-tokens")
        for part, value in (("limit", "4000"), ("remaining", "3999"), ("reset", "2026-11-21T12:00:00Z"))
    },
}
_ERROR: Final = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def _events() -> list[dict[str, Any]]:
    start = {**_MESSAGE, "content": [], "stop_reason": None, "usage": {**_USAGE, "output_tokens": 1}}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "scattering "}}
    return [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *[delta] * (STREAM_EVENTS - 5),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 200},
        },
        {"type": "message_stop"},
    ]


_JSON: Final = json.dumps(_MESSAGE).encode()
_REFUSAL: Final = json.dumps(_ERROR).encode()
_CHUNKS: Final = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in _events()]


class _Body(http.SyncByteStream, http.AsyncByteStream):  # type: ignore[misc]
    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


def _respond(request: Any, refuse: bool) -> Any:
    if refuse:
        # Not zero, which the SDK ignores.
        headers = {**_HEADERS, "content-type": "application/json", "retry-after-ms": "0.001"}
        return http.Response(529, headers=headers, stream=_Body([_REFUSAL]))
    if b'"stream":true' in request.content or b'"stream": true' in request.content:
        return http.Response(200, headers={**_HEADERS, "content-type": "text/event-stream"}, stream=_Body(_CHUNKS))
    return http.Response(200, headers={**_HEADERS, "content-type": "application/json"}, stream=_Body([_JSON]))


class Transport(http.BaseTransport):  # type: ignore[misc]
    """Responds to the requests of a sync client.

    Args:
        refuse: Respond to each request with a 529.
    """

    def __init__(self, *, refuse: bool = False) -> None:
        self._refuse = refuse

    def handle_request(self, request: Any) -> Any:
        """Return the response to `request`."""
        request.read()
        return _respond(request, self._refuse)


class AsyncTransport(http.AsyncBaseTransport):  # type: ignore[misc]
    """Responds to the requests of an async client."""

    def __init__(self, *, refuse: bool = False) -> None:
        self._refuse = refuse

    async def handle_async_request(self, request: Any) -> Any:
        """Return the response to `request`."""
        await request.aread()
        return _respond(request, self._refuse)
