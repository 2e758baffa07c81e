"""The API as a script: answers in order, served inside the client's transport, byte by byte as the wire has them.

For what a server can't be told to do at an exact moment. Everything else is tested against the simulator.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import anthropic
from anthropic import _base_client

__all__ = ["MESSAGE", "REQUEST", "Answer", "ScriptedAPI", "error", "events", "message", "stream"]

# The HTTP library that the installed SDK uses: httpx before 1.0, httpx2 since.
http: Any = getattr(_base_client, "httpx2", None) or getattr(_base_client, "httpx")  # noqa: B009

REQUEST: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello"}],
}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [{"type": "text", "text": "Good day"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 10,
        "output_tokens": 20,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 0,
    },
}

Event = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """One answer: a response, or an exception in place of one.

    Attributes:
        status: HTTP status.
        body: What the body holds; a list of chunks is sent one by one.
        headers: Further headers.
        breaks: Raised by the transport after the body's last chunk, in place of its end.
        fails: Raised by the transport in place of a response.
    """

    status: int = 200
    body: bytes | list[bytes] = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    breaks: Exception | None = None
    fails: BaseException | None = None


def message(**changes: Any) -> Answer:
    """A whole Message."""
    return Answer(body=json.dumps({**MESSAGE, **changes}).encode(), headers={"content-type": "application/json"})


def error(status: int, kind: str, text: str = "No", *, code: str | None = None, **headers: str) -> Answer:
    """An error body as the API sends it."""
    details = {} if code is None else {"details": {"error_code": code}}
    body = {"type": "error", "error": {"type": kind, "message": text, **details}}
    return Answer(
        status,
        json.dumps(body).encode(),
        {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}},
    )


def events(*words: str) -> list[Event]:
    """The events of a streamed Message that says `words`."""
    start = {**MESSAGE, "content": [], "stop_reason": None, "usage": {**MESSAGE["usage"], "output_tokens": 1}}
    return [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}} for word in words),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 20},
        },
        {"type": "message_stop"},
    ]


def stream(body: list[Event] | None = None, *, breaks: Exception | None = None) -> Answer:
    """A stream of events, each a chunk of its own."""
    chunks = [
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in body or events("a", "b", "c")
    ]
    return Answer(body=chunks, headers={"content-type": "text/event-stream"}, breaks=breaks)


class _Body(http.SyncByteStream, http.AsyncByteStream):  # type: ignore[misc]
    def __init__(self, answer: Answer, closed: Callable[[], None]) -> None:
        self._chunks = answer.body if isinstance(answer.body, list) else [answer.body]
        self._breaks = answer.breaks
        self._closed = closed

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks
        if self._breaks is not None:
            raise self._breaks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk
        if self._breaks is not None:
            raise self._breaks

    def close(self) -> None:
        self._closed()

    async def aclose(self) -> None:
        self._closed()


class ScriptedAPI:
    """Serves the answers in order, and keeps what it was asked.

    Attributes:
        requests: Every request that arrived: method, path and body.
        closed: How many bodies were closed.
    """

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[tuple[str, str, bytes]] = []
        self.closed = 0

    def _close(self) -> None:
        self.closed += 1

    def _answer(self, request: Any, content: bytes) -> Any:
        self.requests.append((request.method, request.url.path, content))
        answer = self._answers.pop(0)
        if answer.fails is not None:
            raise answer.fails
        headers = {"request-id": f"req_{len(self.requests)}", **answer.headers}
        return http.Response(answer.status, headers=headers, stream=_Body(answer, self._close))

    def client(self, **options: Any) -> anthropic.Anthropic:
        """A sync client that asks this API."""
        transport = http.MockTransport(lambda request: self._answer(request, request.read()))
        return anthropic.Anthropic(api_key="key", http_client=http.Client(transport=transport), **options)

    def async_client(self, **options: Any) -> anthropic.AsyncAnthropic:
        """An async client that asks this API."""

        async def answer(request: Any) -> Any:
            return self._answer(request, await request.aread())

        return anthropic.AsyncAnthropic(
            api_key="key", http_client=http.AsyncClient(transport=http.MockTransport(answer)), **options
        )
