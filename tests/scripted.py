"""The API as a script: answers in order, served inside the client's transport, byte by byte as the wire has them.

For what a server can't be told to do at an exact moment. Everything else is tested against the simulator. Works with
every SDK that claudescope supports: on httpx, as it was before 1.0, and on httpx2.
"""

# pyright: reportPrivateUsage=false
# which HTTP library the SDK uses is known to a private module alone

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import anthropic
import anyio
from anthropic import _base_client
from opentelemetry.trace import TracerProvider

import claudescope

__all__ = [
    "MESSAGE",
    "REQUEST",
    "Answer",
    "ScriptedAPI",
    "error",
    "events",
    "http",
    "message",
    "server_sent",
    "stream",
    "traced",
]

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
        hangs: Where no more comes and the app's own `scope` is cancelled: at the `response`, at the `end` of the body,
            or in the `retry` that follows.
        interrupts: It is the user at the keyboard who gives up, by a signal, and not the app.
        scope: What a hanging answer cancels.
    """

    status: int = 200
    body: bytes | list[bytes] = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    breaks: BaseException | None = None
    fails: BaseException | None = None
    hangs: str | None = None
    interrupts: bool = False
    scope: list[anyio.CancelScope] = field(default_factory=list[anyio.CancelScope])

    def cancel(self) -> None:
        """Have the app give up at its next chance."""
        if self.interrupts:
            signal.raise_signal(signal.SIGINT)
        for scope in self.scope:
            scope.cancel()

    async def hang(self) -> None:
        """Have the app give up waiting."""
        self.cancel()
        await anyio.sleep_forever()


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
    start: Event = {**MESSAGE, "content": [], "stop_reason": None, "usage": {**MESSAGE["usage"], "output_tokens": 1}}
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


def server_sent(event: Event) -> bytes:
    """An event as the API sends it."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def stream(body: list[Event] | None = None, *, breaks: BaseException | None = None) -> Answer:
    """A stream of events, each a chunk of its own."""
    chunks = [server_sent(event) for event in (events("a", "b", "c") if body is None else body)]
    return Answer(body=chunks, headers={"content-type": "text/event-stream"}, breaks=breaks)


def traced(provider: TracerProvider) -> dict[str, Any]:
    """The options of a client whose spans go to `provider`.

    An SDK without tracing has no such option: there claudescope makes the spans, and is told where they go.
    """
    if hasattr(_base_client.BaseClient, "_tracer"):
        return {"open_telemetry": {"tracer_provider": provider}}
    claudescope.instrument(tracer_provider=provider)
    return {}


class _Body(http.SyncByteStream, http.AsyncByteStream):  # type: ignore[misc]
    def __init__(self, answer: Answer, closed: Callable[[], None]) -> None:
        self._answer = answer
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
        if self._answer.hangs == "end":
            await self._answer.hang()
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
        headers: The headers of each, names in lower case.
        closed: How many bodies were closed.
    """

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[tuple[str, str, bytes]] = []
        self.headers: list[dict[str, str]] = []
        self.closed = 0

    def cancels(self, scope: list[anyio.CancelScope]) -> None:
        """Have the answers that hang cancel what is in `scope` by then."""
        self._answers = [replace(answer, scope=scope) for answer in self._answers]

    def _close(self) -> None:
        self.closed += 1

    def _take(self, request: Any, content: bytes) -> Answer:
        self.requests.append((request.method, request.url.path, content))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        return self._answers.pop(0)

    def _respond(self, answer: Answer) -> Any:
        if answer.fails is not None:
            raise answer.fails
        headers = {"request-id": f"req_{len(self.requests)}", **answer.headers}
        return http.Response(answer.status, headers=headers, stream=_Body(answer, self._close))

    def http_client(self) -> Any:
        """A sync HTTP client that asks this API."""

        def respond(request: Any) -> Any:
            return self._respond(self._take(request, request.read()))

        return http.Client(transport=http.MockTransport(respond))

    def async_http_client(self) -> Any:
        """An async HTTP client that asks this API."""

        async def respond(request: Any) -> Any:
            answer = self._take(request, await request.aread())
            if answer.hangs == "response":
                await answer.hang()
            if answer.hangs == "retry":
                answer.cancel()
            return self._respond(answer)

        return http.AsyncClient(transport=http.MockTransport(respond))

    def client(self, client_class: Any = anthropic.Anthropic, **options: Any) -> Any:
        """A sync client that asks this API."""
        if client_class is anthropic.Anthropic:
            options.setdefault("api_key", "key")
        return client_class(http_client=self.http_client(), **options)

    def async_client(self, client_class: Any = anthropic.AsyncAnthropic, **options: Any) -> Any:
        """An async client that asks this API."""
        if client_class is anthropic.AsyncAnthropic:
            options.setdefault("api_key", "key")
        return client_class(http_client=self.async_http_client(), **options)
