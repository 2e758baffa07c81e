"""What the app sees with claudescope is what it sees without: values, types, exceptions, requests."""

from __future__ import annotations

import pickle
from collections.abc import Awaitable, Callable
from typing import Any

import anthropic
import pytest

import claudescope
from tests.scripted import REQUEST, Answer, ScriptedAPI, error, events, http, message, stream

_OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def _create(client: anthropic.Anthropic) -> object:
    return client.messages.create(**REQUEST)


def _events(client: anthropic.Anthropic) -> object:
    opened = client.messages.create(**REQUEST, stream=True)
    return isinstance(opened, anthropic.Stream), list(opened), opened.response.is_closed


def _next(client: anthropic.Anthropic) -> object:
    opened = client.messages.create(**REQUEST, stream=True)
    first = next(opened)
    opened.close()
    return first, opened.response.is_closed, opened.response.num_bytes_downloaded


def _helper(client: anthropic.Anthropic) -> object:
    with client.messages.stream(**REQUEST) as helper:
        seen = [event.type for event in helper]
        return seen, helper.get_final_message(), type(helper).__name__


def _raw(client: anthropic.Anthropic) -> object:
    raw = client.messages.with_raw_response.create(**REQUEST)
    return raw.status_code, dict(raw.headers), raw.parse(), raw.retries_taken, raw.http_response.content


def _pickled(client: anthropic.Anthropic) -> object:
    raw = client.messages.with_raw_response.create(**REQUEST)
    return pickle.loads(pickle.dumps(raw.http_response)).content  # noqa: S301 - our own


def _streaming(client: anthropic.Anthropic) -> object:
    with client.messages.with_streaming_response.create(**REQUEST, stream=True) as raw:
        return list(raw.iter_lines()), type(raw.http_response).__name__


def _streaming_bytes(client: anthropic.Anthropic) -> object:
    with client.messages.with_streaming_response.create(**REQUEST) as raw:
        return raw.read(), raw.http_response.elapsed is not None


def _count(client: anthropic.Anthropic) -> object:
    return client.messages.count_tokens(model=REQUEST["model"], messages=REQUEST["messages"])


def _post(client: anthropic.Anthropic) -> object:
    return client.post("/v1/messages", cast_to=object, body=REQUEST)


def _attributes(client: anthropic.Anthropic) -> object:
    return client.middleware, client.max_retries, str(client.base_url), client.with_options(max_retries=0).max_retries


_SYNC: list[tuple[Callable[[anthropic.Anthropic], object], list[Answer]]] = [
    (_create, [message()]),
    (_create, [error(429, "rate_limit_error", retry_after_ms="1"), message()]),
    (_create, [error(400, "invalid_request_error", "max_tokens: Field required")]),
    (_create, [error(529, "overloaded_error", retry_after_ms="1")] * 3),
    (_create, [Answer(fails=http.ConnectError("refused"))] * 3),
    (_create, [Answer(fails=http.ReadTimeout("slow"))] * 3),
    (_create, [Answer(body=b"{not json", headers={"content-type": "application/json"})]),
    (_create, [message(usage=None)]),
    (_create, [message(usage="many", model=7, stop_reason=["odd"])]),
    (_events, [stream()]),
    (_events, [stream([*events("a")[:3], _OVERLOADED])]),
    (_events, [stream(events("a")[:3])]),
    (_events, [stream(events("a")[:3], breaks=http.ReadError("reset"))]),
    (_events, [stream([{"type": "message_start"}, {"type": "unheard_of", "x": 1}, *events("a")])]),
    (_next, [stream()]),
    (_helper, [stream()]),
    (_helper, [stream([*events("a")[:3], _OVERLOADED])]),
    (_raw, [message()]),
    (_pickled, [message()]),
    (_streaming, [stream()]),
    (_streaming_bytes, [message()]),
    (_count, [Answer(body=b'{"input_tokens": 7}', headers={"content-type": "application/json"})]),
    (_post, [message()]),
    (_attributes, []),
]


def _errors(error: BaseException | None) -> list[object]:
    """What an app can see of an exception and those behind it; addresses and tracebacks aside."""
    seen: list[object] = []
    while error is not None:
        seen.append((type(error), str(error), error.__suppress_context__, getattr(error, "status_code", None)))
        error = error.__cause__ or error.__context__
    return seen


def _view(use: Callable[[anthropic.Anthropic], object], answers: list[Answer]) -> tuple[object, ...]:
    api = ScriptedAPI(*answers)
    client = api.client()
    value: object = None
    raised: BaseException | None = None
    try:
        value = use(client)
    except Exception as caught:  # noqa: BLE001 - compared by the caller
        raised = caught
    return type(value), value, _errors(raised), api.requests, api.closed


@pytest.mark.parametrize(("use", "answers"), _SYNC)
def test_sync(use: Callable[[anthropic.Anthropic], object], answers: list[Answer]) -> None:
    """Value, type, exception chain, requests to the byte and closed bodies are the same with and without."""
    without = _view(use, answers)
    claudescope.instrument()
    assert _view(use, answers) == without


async def _async_create(client: anthropic.AsyncAnthropic) -> object:
    return await client.messages.create(**REQUEST)


async def _async_events(client: anthropic.AsyncAnthropic) -> object:
    opened = await client.messages.create(**REQUEST, stream=True)
    return isinstance(opened, anthropic.AsyncStream), [event async for event in opened], opened.response.is_closed


async def _async_next(client: anthropic.AsyncAnthropic) -> object:
    opened = await client.messages.create(**REQUEST, stream=True)
    first = await opened.__anext__()
    await opened.close()
    return first, opened.response.is_closed


async def _async_helper(client: anthropic.AsyncAnthropic) -> object:
    async with client.messages.stream(**REQUEST) as helper:
        return [text async for text in helper.text_stream], await helper.get_final_message()


async def _async_streaming(client: anthropic.AsyncAnthropic) -> object:
    async with client.messages.with_streaming_response.create(**REQUEST, stream=True) as raw:
        return [line async for line in raw.iter_lines()]


async def _async_view(
    use: Callable[[anthropic.AsyncAnthropic], Awaitable[object]], answers: list[Answer]
) -> tuple[object, ...]:
    api = ScriptedAPI(*answers)
    value: object = None
    raised: BaseException | None = None
    try:
        value = await use(api.async_client())
    except Exception as caught:  # noqa: BLE001 - compared by the caller
        raised = caught
    return type(value), value, _errors(raised), api.requests, api.closed


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.parametrize(
    ("use", "answers"),
    [
        (_async_create, [message()]),
        (_async_create, [error(503, "api_error", retry_after_ms="1"), message()]),
        (_async_create, [error(401, "authentication_error")]),
        (_async_create, [Answer(fails=http.PoolTimeout("full"))] * 3),
        (_async_events, [stream()]),
        (_async_events, [stream(events("a")[:3], breaks=http.ReadError("reset"))]),
        (_async_helper, [stream()]),
        (_async_streaming, [stream()]),
    ],
)
async def test_async(use: Callable[[anthropic.AsyncAnthropic], Awaitable[object]], answers: list[Answer]) -> None:
    """The same for async, on asyncio and on trio."""
    without = await _async_view(use, answers)
    claudescope.instrument()
    assert await _async_view(use, answers) == without


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("use", "answer"),
    [(_async_next, stream()), (_async_events, stream([*events("a")[:3], _OVERLOADED]))],
)
async def test_async_streams_left_unread(
    use: Callable[[anthropic.AsyncAnthropic], Awaitable[object]], answer: Answer
) -> None:
    """On asyncio alone: trio warns of the SDK's own generators when the rest of a stream is never read."""
    without = await _async_view(use, [answer])
    claudescope.instrument()
    assert await _async_view(use, [answer]) == without


def test_middleware() -> None:
    """A client with middleware is seen too, and its chain is what the app made."""
    seen: list[str] = []

    def watch(request: Any, call_next: Any) -> Any:
        seen.append("before")
        response = call_next(request)
        seen.append("after")
        return response

    from claudescope.testing import capture_calls

    api = ScriptedAPI(error(429, "rate_limit_error", retry_after_ms="1"), message())
    client = api.client(middleware=[watch])
    with capture_calls() as calls:
        client.messages.create(**REQUEST)
        assert client.middleware == (watch,)
    assert seen == ["before", "after"] * 2
    (record,) = calls
    assert (record.outcome, [attempt.status_code for attempt in record.attempts]) == ("ok", [429, 200])
    assert record.cost_usd is not None
