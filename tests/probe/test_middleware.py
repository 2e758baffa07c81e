"""Clients with middleware: only the response that a call returns ends it, and all requests are attempts of the call."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from decimal import Decimal
from typing import Any

import pytest
from anthropic import APIStatusError
from anthropic._response import APIResponse
from anthropic.lib.middleware import BetaRefusalFallbackMiddleware
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from claudescope.schema.record import CallRecord, Usage
from claudescope.testing import capture_calls
from tests.scripted import REQUEST, Answer, ScriptedAPI, error, events, http, message, stream, traced

_ANSWERED = Usage(110, 20, 100)
_COST = Decimal("0.00046")
Middleware = Callable[[Any, Any], Any]


def _other(*, streamed: bool, stop: str = "end_turn") -> Answer:
    """An answer with a usage of its own."""
    usage = {"input_tokens": 7, "output_tokens": 7}
    if not streamed:
        return message(usage=usage, stop_reason=stop)
    body = events("x")
    body[0]["message"]["usage"] = body[-2]["usage"] = usage
    body[-2]["delta"]["stop_reason"] = stop
    return stream(body)


def _plain(client: Any) -> None:
    client.messages.create(**REQUEST)


def _raw(client: Any) -> None:
    client.messages.with_raw_response.create(**REQUEST).parse()


def _streamed(client: Any) -> None:
    list(client.messages.create(**REQUEST, stream=True))


def _helper(client: Any) -> None:
    with client.messages.stream(**REQUEST) as read:
        read.until_done()


def _bytes(client: Any) -> None:
    with client.messages.with_streaming_response.create(**REQUEST, stream=True) as raw:
        raw.read()


_WAYS = [_plain, _raw, _streamed, _helper, _bytes]


def _replaced(response: Any, **body: Any) -> Any:
    """A response of the middleware's own in place of the API's."""
    old = response.http_response
    raw = http.Response(
        old.status_code, headers={"content-type": old.headers["content-type"]}, request=old.request, **body
    )
    return APIResponse(
        raw=raw,
        cast_to=response._cast_to,
        client=response._client,
        stream=response._is_sse_stream,
        stream_cls=response._stream_cls,
        options=response._options,
    )


def _discard(request: Any, call_next: Any) -> Any:
    call_next(request).close()
    return call_next(request)


def _discard_after_a_look(request: Any, call_next: Any) -> Any:
    parsed = call_next(request).parse()
    if request.stream:
        next(parsed)
    return call_next(request)


def _discard_after_all_of_it(request: Any, call_next: Any) -> Any:
    call_next(request).read()
    return call_next(request)


def _first_of_two(request: Any, call_next: Any) -> Any:
    second = call_next
    first = call_next(request)
    second(request)
    return first


@pytest.mark.parametrize("use", _WAYS)
@pytest.mark.parametrize("discard", [_discard, _discard_after_a_look, _discard_after_all_of_it])
def test_discards_an_answer(discard: Middleware, use: Callable[[Any], None]) -> None:
    """The call ends with the answer that the app got, and with its usage."""
    is_stream = use not in (_plain, _raw)
    api = ScriptedAPI(_other(streamed=is_stream), stream() if is_stream else message())
    with capture_calls() as calls:
        use(api.client(middleware=[discard]))
    (record,) = calls
    assert (record.outcome, record.usage, record.cost_usd, record.finish_reason) == ("ok", _ANSWERED, _COST, "end_turn")
    assert [attempt.request_id for attempt in record.attempts] == ["req_1", "req_2"]


@pytest.mark.parametrize("use", _WAYS)
def test_returns_the_first_of_two(use: Callable[[Any], None]) -> None:
    """It is what a call returns that counts, and not what came last."""
    is_stream = use not in (_plain, _raw)
    api = ScriptedAPI(stream() if is_stream else message(), _other(streamed=is_stream))
    with capture_calls() as calls:
        use(api.client(middleware=[_first_of_two]))
    (record,) = calls
    assert (record.outcome, record.usage, len(record.attempts)) == ("ok", _ANSWERED, 2)


@pytest.mark.parametrize("use", [_streamed, _helper])
def test_returns_a_stream_that_it_looked_into(use: Callable[[Any], None]) -> None:
    """What a middleware has read already is not lost."""

    def look(request: Any, call_next: Any) -> Any:
        response = call_next(request)
        parsed, first = response.parse(), []
        first.append(next(parsed))
        rest = parsed._iterator

        def replay() -> Iterator[Any]:
            yield from first
            yield from rest

        parsed._iterator = replay()
        return response

    with capture_calls() as calls:
        use(ScriptedAPI(stream()).client(middleware=[look]))
    (record,) = calls
    assert (record.outcome, record.usage, record.finish_reason) == ("ok", _ANSWERED, "end_turn")


@pytest.mark.parametrize("use", _WAYS)
def test_returns_a_copy(use: Callable[[Any], None]) -> None:
    """An answer that was read whole, and returned as a response of the middleware's own, was billed once."""

    def copied(request: Any, call_next: Any) -> Any:
        response = call_next(request)
        return _replaced(response, content=response.read())

    is_stream = use not in (_plain, _raw)
    with capture_calls() as calls:
        use(ScriptedAPI(stream() if is_stream else message()).client(middleware=[copied]))
    (record,) = calls
    assert (record.outcome, record.usage, record.cost_usd, len(record.attempts)) == ("ok", _ANSWERED, _COST, 1)


def test_a_copy_that_nobody_reads() -> None:
    """What was billed for the answer is known from the response that was copied."""

    def copied(request: Any, call_next: Any) -> Any:
        response = call_next(request)
        return _replaced(response, content=response.read())

    with capture_calls() as calls:
        ScriptedAPI(stream()).client(middleware=[copied]).messages.create(**REQUEST, stream=True).close()
    (record,) = calls
    assert (record.outcome, record.usage, record.cost_usd) == ("abandoned", _ANSWERED, _COST)


@pytest.mark.parametrize("use", _WAYS)
def test_answers_from_a_cache(use: Callable[[Any], None]) -> None:
    """The first call is billed, and the one that made no request is not."""
    kept: list[Any] = []

    def cached(request: Any, call_next: Any) -> Any:
        if not kept:
            response = call_next(request)
            kept.append((response, response.read()))
        return _replaced(kept[0][0], content=kept[0][1])

    is_stream = use not in (_plain, _raw)
    client = ScriptedAPI(stream() if is_stream else message()).client(middleware=[cached])
    with capture_calls() as calls:
        use(client)
        use(client)
    assert [(call.outcome, call.usage, call.cost_usd, len(call.attempts)) for call in calls] == [
        ("ok", _ANSWERED, _COST, 1),
        ("ok", None, None, 0),
    ]


@pytest.mark.parametrize("use", _WAYS)
def test_asks_twice_at_once(use: Callable[[Any], None]) -> None:
    """Requests of other threads are attempts of the call; the one that wins ends it."""
    asked = threading.Barrier(2)

    def hedge(request: Any, call_next: Any) -> Any:
        def ask(lose: bool) -> Any:
            response = call_next(request)
            asked.wait(60)
            if lose:
                response.close()
            return response

        with ThreadPoolExecutor(2) as pool:
            asks = [pool.submit(ask, lose) for lose in (False, True)]
            wait(asks, return_when=FIRST_COMPLETED)
            return asks[0].result()

    is_stream = use not in (_plain, _raw)
    answer = stream() if is_stream else message()
    with capture_calls() as calls:
        use(ScriptedAPI(answer, answer).client(middleware=[hedge]))
    (record,) = calls
    assert (record.outcome, record.usage, len(record.attempts)) == ("ok", _ANSWERED, 2)


@pytest.mark.anyio
async def test_async_asks_twice_at_once() -> None:
    """The same for the tasks of an async client."""

    async def hedge(request: Any, call_next: Any) -> Any:
        first, second = await asyncio.gather(call_next(request), call_next(request))
        await second.close()
        return first

    client = ScriptedAPI(stream(), stream(), message(), message()).async_client(middleware=[hedge])
    with capture_calls() as calls:
        async for _ in await client.messages.create(**REQUEST, stream=True):
            pass
        await client.messages.create(**REQUEST)
    assert [(call.outcome, call.usage, len(call.attempts)) for call in calls] == [("ok", _ANSWERED, 2)] * 2


def test_asks_when_the_app_reads() -> None:
    """A request that is made while the app reads the body is an attempt of the call, and is billed to it."""

    class _Late(http.SyncByteStream):  # type: ignore[misc]
        def __init__(self, ask: Callable[[], Any]) -> None:
            self._ask = ask

        def __iter__(self) -> Iterator[bytes]:
            yield from self._ask().http_response.iter_raw()

        def close(self) -> None:
            """Nothing to do."""

    def late(request: Any, call_next: Any) -> Any:
        response = call_next(request)
        response.close()
        return _replaced(response, stream=_Late(lambda: call_next(request)))

    api = ScriptedAPI(_other(streamed=True), stream())
    with capture_calls() as calls:
        read = api.client(middleware=[late]).messages.create(**REQUEST, stream=True)
        assert len(api.requests) == 1
        list(read)
    (record,) = calls
    assert (record.outcome, record.usage, record.cost_usd) == ("ok", _ANSWERED, _COST)
    assert [attempt.request_id for attempt in record.attempts] == ["req_1", "req_2"]


@pytest.mark.parametrize("use", _WAYS)
def test_hides_a_failed_request(use: Callable[[Any], None]) -> None:
    """A request that failed is an attempt with its error type, also where the SDK never learns of it."""

    def again(request: Any, call_next: Any) -> Any:
        response = call_next(request)
        return response if response.http_response.is_success else call_next(request)

    is_stream = use not in (_plain, _raw)
    api = ScriptedAPI(error(529, "overloaded_error"), stream() if is_stream else message())
    with capture_calls() as calls:
        use(api.client(middleware=[again]))
    (record,) = calls
    assert [(attempt.status_code, attempt.error_type) for attempt in record.attempts] == [
        (529, "overloaded_error"),
        (200, None),
    ]


def test_passes_a_failed_request_on() -> None:
    """A failed request that the app learns of is one attempt, after an answer that was discarded too."""

    def again(request: Any, call_next: Any) -> Any:
        call_next(request)
        return call_next(request)

    api = ScriptedAPI(message(), error(529, "overloaded_error"))
    with capture_calls() as calls, pytest.raises(APIStatusError):
        _plain(api.client(middleware=[again], max_retries=0))
    (record,) = calls
    assert (record.outcome, record.error_type, record.status_code) == ("error", "overloaded_error", 529)
    assert [attempt.status_code for attempt in record.attempts] == [200, 529]


_DECLINED: dict[str, Any] = {
    "type": "refusal",
    "category": None,
    "explanation": None,
    "fallback_credit_token": "token",
    "fallback_has_prefill_claim": False,
}


def _refusal(*, streamed: bool, late: bool = False) -> Answer:
    usage = {"input_tokens": 1_000, "output_tokens": 7}
    if not streamed:
        return message(usage=usage, stop_reason="refusal", stop_details=_DECLINED)
    body = events("a")
    if not late:
        body = [event for event in body if not event["type"].startswith("content_block")]
    body[0]["message"]["usage"] = body[-2]["usage"] = usage
    body[-2]["delta"] = {"stop_reason": "refusal", "stop_details": _DECLINED}
    return stream(body)


def _served(*, streamed: bool) -> Answer:
    usage = {"input_tokens": 2_000, "output_tokens": 500}
    if not streamed:
        return message(model="claude-haiku-5-5", usage=usage)
    body = events("a")
    body[0]["message"]["model"] = "claude-haiku-5-5"
    body[0]["message"]["usage"] = body[-2]["usage"] = usage
    return stream(body)


_FALLBACKS: list[Any] = [{"model": "claude-sonnet-5-5"}, {"model": "claude-haiku-5-5"}]


def _check_fallback(record: CallRecord, *statuses: int) -> None:
    assert (record.outcome, record.finish_reason) == ("ok", "end_turn")
    assert (record.request_model, record.response_model) == ("claude-opus-5-5", "claude-haiku-5-5")
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (2_000, 500)
    assert record.cost_usd == Decimal("0.00045")
    assert [attempt.status_code for attempt in record.attempts] == list(statuses)


@pytest.mark.parametrize("late", [False, True], ids=["before output", "in mid-stream"])
def test_the_sdks_own_fallback_in_a_stream(
    late: bool, tracer_provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    """The model that declined, the one that was overloaded and the one that served are one call, billed at the last."""
    api = ScriptedAPI(_refusal(streamed=True, late=late), error(529, "overloaded_error"), _served(streamed=True))
    client = api.client(middleware=[BetaRefusalFallbackMiddleware(_FALLBACKS)], **traced(tracer_provider))
    with capture_calls() as calls, client.beta.messages.stream(**REQUEST) as read:
        assert read.get_final_message().usage.output_tokens == 500
    (record,) = calls
    _check_fallback(record, 200, 529, 200)
    assert record.attempts[1].error_type == "overloaded_error"
    (span,) = spans.get_finished_spans()
    assert (span.attributes or {})["claude.cost.usd"] == pytest.approx(0.00045)
    assert (span.attributes or {})["claude.outcome"] == "ok"


def test_the_sdks_own_fallback_of_a_plain_call() -> None:
    """The same without a stream."""
    api = ScriptedAPI(_refusal(streamed=False), _served(streamed=False))
    client = api.client(middleware=[BetaRefusalFallbackMiddleware(_FALLBACKS[1:])])
    with capture_calls() as calls:
        assert client.beta.messages.create(**REQUEST).stop_reason == "end_turn"
    _check_fallback(calls[0], 200, 200)


@pytest.mark.anyio
async def test_the_sdks_own_fallback_of_an_async_client() -> None:
    """The same for async clients, streamed and not."""
    api = ScriptedAPI(
        _refusal(streamed=True, late=True), _served(streamed=True), _refusal(streamed=False), _served(streamed=False)
    )
    client = api.async_client(middleware=[BetaRefusalFallbackMiddleware(_FALLBACKS[1:])])
    with capture_calls() as calls:
        async for _ in await client.beta.messages.create(**REQUEST, stream=True):
            pass
        await client.beta.messages.create(**REQUEST)
    assert len(calls) == 2
    for record in calls:
        _check_fallback(record, 200, 200)


def test_a_fallback_that_the_app_leaves() -> None:
    """A stream that the app closes before the fallback is abandoned, at the model that was answering."""
    api = ScriptedAPI(_refusal(streamed=True, late=True))
    client = api.client(middleware=[BetaRefusalFallbackMiddleware(_FALLBACKS)])
    with capture_calls() as calls:
        read = client.beta.messages.create(**REQUEST, stream=True)
        next(read)
        read.close()
    (record,) = calls
    assert (record.outcome, record.response_model, len(record.attempts)) == ("abandoned", "claude-opus-5-5", 1)


def test_requests_are_not_changed() -> None:
    """What claudescope does to tell requests apart is not sent."""

    def through(request: Any, call_next: Any) -> Any:
        return call_next(request)

    sent = []
    for watched in (False, True):
        api = ScriptedAPI(message())
        if watched:
            with capture_calls():
                _plain(api.client(middleware=[through]))
        else:
            _plain(api.client(middleware=[through]))
        sent.append((sorted(api.headers[0]), json.loads(api.requests[0][2])))
    assert sent[0] == sent[1]
