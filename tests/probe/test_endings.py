"""Every way a call can end gives exactly one record, and leaves the app's view as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import anthropic
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import claudescope
from claudescope.schema.record import Attempt, CallRecord, Usage
from claudescope.testing import capture_calls
from tests.scripted import REQUEST, Answer, ScriptedAPI, error, events, http, message, stream, traced

_RETRY = {"retry_after_ms": "1"}
_STREAM_USAGE = Usage(110, 20, 100, service_tier=None)
_STARTED_USAGE = Usage(110, 1, 100)


def _only(calls: list[CallRecord]) -> CallRecord:
    assert len(calls) == 1
    return calls[0]


def test_a_call_that_returns() -> None:
    """A plain call is one record with everything that its response says."""
    api = ScriptedAPI(message())
    with capture_calls() as calls:
        api.client().messages.create(**REQUEST)
    record = _only(calls)
    assert (record.outcome, record.error_type, record.status_code, record.request_id) == ("ok", None, 200, "req_1")
    assert (record.operation, record.provider, record.stream) == ("chat", "anthropic", False)
    assert (record.request_model, record.response_model) == ("claude-opus-5-5", "claude-opus-5-5")
    assert (record.server_address, record.finish_reason) == ("api.anthropic.com", "end_turn")
    assert (record.usage, record.attempts) == (Usage(110, 20, 100), (Attempt(None, 200, None, 0.0, "req_1"),))
    # 10 at $4, 100 cached at $0.20 and 20 at $20 per million
    assert record.cost_usd == Decimal("0.00046")
    assert record.duration > 0
    assert (record.time_to_first_chunk, record.longest_stall, record.stream_seconds) == (None, None, None)


def test_retries_that_succeed() -> None:
    """Each attempt is there with why it failed and what was slept."""
    api = ScriptedAPI(error(429, "rate_limit_error", **_RETRY), error(529, "overloaded_error", **_RETRY), message())
    with capture_calls() as calls:
        api.client().messages.create(**REQUEST)
    record = _only(calls)
    assert [(a.error_type, a.status_code, a.retry_after, a.request_id) for a in record.attempts] == [
        ("rate_limit_error", 429, 0.001, "req_1"),
        ("overloaded_error", 529, 0.001, "req_2"),
        (None, 200, None, "req_3"),
    ]
    assert [attempt.delay > 0 for attempt in record.attempts] == [True, True, False]
    assert (record.outcome, record.retries) == ("ok", 2)


def test_retries_that_fail() -> None:
    """A call that gives up is one error, with its last attempt among the others."""
    api = ScriptedAPI(*[error(500, "api_error", **_RETRY)] * 3)
    with capture_calls() as calls, pytest.raises(anthropic.InternalServerError):
        api.client().messages.create(**REQUEST)
    record = _only(calls)
    assert (record.outcome, record.error_type, record.status_code, record.request_id) == (
        "error",
        "api_error",
        500,
        "req_3",
    )
    assert [attempt.error_type for attempt in record.attempts] == ["api_error"] * 3
    assert (record.usage, record.cost_usd) == (None, None)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (http.ConnectError("refused"), "connection_error"),
        (http.ReadError("reset"), "connection_error"),
        (http.RemoteProtocolError("disconnected"), "connection_error"),
        (http.ReadTimeout("slow"), "client_timeout_error"),
        (http.ConnectTimeout("slow"), "client_timeout_error"),
        (http.PoolTimeout("full"), "pool_timeout_error"),
    ],
)
def test_no_response(failure: Exception, kind: str) -> None:
    """A request that never gets an answer is an attempt without a status, by what prevented it."""
    api = ScriptedAPI(Answer(fails=failure), Answer(fails=failure))
    with capture_calls() as calls, pytest.raises(anthropic.APIConnectionError):
        api.client(max_retries=1).messages.create(**REQUEST)
    record = _only(calls)
    assert (record.outcome, record.error_type, record.status_code) == ("error", kind, None)
    assert [(attempt.error_type, attempt.status_code) for attempt in record.attempts] == [(kind, None)] * 2


def test_a_request_that_is_never_sent() -> None:
    """A call that fails before any request has no attempt."""
    client = ScriptedAPI().client()
    client.api_key = None
    with capture_calls() as calls, pytest.raises(TypeError):
        client.messages.create(**REQUEST)
    record = _only(calls)
    assert (record.outcome, record.attempts) == ("error", ())


def test_a_response_that_its_schema_refuses() -> None:
    """`parse` may fail after the API has billed: the usage and the cost are kept."""
    api = ScriptedAPI(message(content=[{"type": "text", "text": "not json"}]))
    import pydantic

    class Answered(pydantic.BaseModel):
        number: int

    with capture_calls() as calls, pytest.raises(pydantic.ValidationError):
        api.client().messages.parse(**REQUEST, output_format=Answered)
    record = _only(calls)
    assert (record.outcome, record.error_type, record.status_code) == ("error", "response_validation_error", 200)
    assert (record.usage, record.cost_usd) == (Usage(110, 20, 100), Decimal("0.00046"))
    assert [attempt.status_code for attempt in record.attempts] == [200]


def _read(client: anthropic.Anthropic) -> None:
    for _ in client.messages.create(**REQUEST, stream=True):
        pass


def _leave(client: anthropic.Anthropic) -> None:
    for _ in client.messages.create(**REQUEST, stream=True):
        break


def _close(client: anthropic.Anthropic) -> None:
    opened = client.messages.create(**REQUEST, stream=True)
    next(iter(opened))
    opened.close()


def _leave_block(client: anthropic.Anthropic) -> None:
    with client.messages.stream(**REQUEST) as helper:
        next(iter(helper))


def _never_read(client: anthropic.Anthropic) -> None:
    client.messages.create(**REQUEST, stream=True)


def _never_entered(client: anthropic.Anthropic) -> None:
    client.messages.stream(**REQUEST)


def _final_message(client: anthropic.Anthropic) -> None:
    with client.messages.stream(**REQUEST) as helper:
        assert helper.get_final_message().usage.output_tokens == 20


def _text(client: anthropic.Anthropic) -> None:
    with client.messages.stream(**REQUEST) as helper:
        assert "".join(helper.text_stream) == "abc"


def _raw_parse(client: anthropic.Anthropic) -> None:
    for _ in client.messages.with_raw_response.create(**REQUEST, stream=True).parse():
        pass


def _until_stop_reason(client: anthropic.Anthropic) -> None:
    for event in client.messages.create(**REQUEST, stream=True):
        if event.type == "message_delta":
            break


def _raise_inside(client: anthropic.Anthropic) -> None:
    def use() -> None:
        with client.messages.stream(**REQUEST) as helper:
            for _ in helper:
                raise KeyError

    with pytest.raises(KeyError):
        use()


@pytest.mark.parametrize(
    ("use", "outcome", "usage"),
    [
        (_read, "ok", _STREAM_USAGE),
        (_final_message, "ok", _STREAM_USAGE),
        (_text, "ok", _STREAM_USAGE),
        (_raw_parse, "ok", _STREAM_USAGE),
        (_until_stop_reason, "ok", _STREAM_USAGE),
        (_leave, "abandoned", _STARTED_USAGE),
        (_close, "abandoned", _STARTED_USAGE),
        (_leave_block, "abandoned", _STARTED_USAGE),
        (_raise_inside, "abandoned", _STARTED_USAGE),
        (_never_read, "abandoned", None),
    ],
)
def test_streams(
    use: Callable[[anthropic.Anthropic], None],
    outcome: str,
    usage: Usage | None,
    tracer_provider: TracerProvider,
    spans: InMemorySpanExporter,
) -> None:
    """However a stream is read or left, it ends in one record and one span that say so."""
    api = ScriptedAPI(stream())
    with capture_calls() as calls:
        use(api.client(**traced(tracer_provider)))
    record = _only(calls)
    assert (record.outcome, record.error_type, record.stream, record.usage) == (outcome, None, True, usage)
    assert (record.cost_usd is None) == (usage is None)
    (span,) = spans.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["claude.outcome"] == outcome
    assert span.attributes.get("claude.cost.usd") == (None if record.cost_usd is None else float(record.cost_usd))

    without_us = ScriptedAPI(stream())
    use(without_us.client())
    assert api.closed == without_us.closed


def test_a_helper_that_is_never_entered() -> None:
    """A stream helper sends nothing before it is entered, so there is no call."""
    with capture_calls() as calls:
        _never_entered(ScriptedAPI().client())
    assert calls == []


def test_the_time_of_a_stream() -> None:
    """First content, longest gap and writing time come from the events."""
    api = ScriptedAPI(stream())
    with capture_calls() as calls:
        _read(api.client())
    record = _only(calls)
    assert record.time_to_first_chunk is not None
    assert record.longest_stall is not None
    assert record.stream_seconds is not None
    assert 0 < record.time_to_first_chunk <= record.duration
    assert 0 < record.longest_stall <= record.duration
    assert 0 < record.stream_seconds <= record.duration


_OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


@pytest.mark.parametrize(
    ("answer", "raised", "kind"),
    [
        (stream([*events("a")[:3], _OVERLOADED]), anthropic.APIStatusError, "overloaded_error"),
        (stream(events("a")[:3]), None, "stream_interrupted_error"),
        (stream(events("a")[:3], breaks=http.ReadError("reset")), http.ReadError, "stream_interrupted_error"),
        (
            stream(events("a")[:3], breaks=http.RemoteProtocolError("incomplete chunked read")),
            http.RemoteProtocolError,
            "stream_interrupted_error",
        ),
        (stream(events("a")[:3], breaks=http.ReadTimeout("slow")), http.ReadTimeout, "client_timeout_error"),
    ],
    ids=["error event", "cut", "reset", "incomplete", "timeout"],
)
@pytest.mark.anyio
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_streams_that_fail(
    answer: Answer,
    raised: type[Exception] | None,
    kind: str,
    is_async: bool,
    tracer_provider: TracerProvider,
    spans: InMemorySpanExporter,
) -> None:
    """A stream that breaks is an error of its kind, also where the SDK raises nothing; what was billed is kept."""
    api = ScriptedAPI(answer)
    telemetry = traced(tracer_provider)
    caught: BaseException | None = None
    with capture_calls() as calls:
        try:
            if is_async:
                async for _ in await api.async_client(**telemetry).messages.create(**REQUEST, stream=True):
                    pass
            else:
                for _ in api.client(**telemetry).messages.create(**REQUEST, stream=True):
                    pass
        except Exception as error:  # noqa: BLE001 - compared below
            caught = error
    assert (type(caught) if raised is None else raised) in type(caught).__mro__
    record = _only(calls)
    assert (record.outcome, record.error_type, record.status_code) == ("error", kind, 200)
    assert (record.usage, [attempt.error_type for attempt in record.attempts]) == (_STARTED_USAGE, [kind])
    (span,) = spans.get_finished_spans()
    assert span.attributes is not None
    assert (span.attributes["claude.outcome"], span.attributes["claude.error_type"]) == ("error", kind)
    assert span.status.status_code is StatusCode.ERROR


@pytest.mark.anyio
async def test_async_calls() -> None:
    """Async calls, helpers and dropped streams end as the sync ones do."""
    api = ScriptedAPI(message(), stream(), stream(), stream())
    client = api.async_client()

    async def leave() -> None:
        async for _ in await client.messages.create(**REQUEST, stream=True):
            break

    async def leave_block() -> None:
        async with client.messages.stream(**REQUEST) as helper:
            async for _ in helper:
                break

    with capture_calls() as calls:
        await client.messages.create(**REQUEST)
        async with client.messages.stream(**REQUEST) as helper:
            assert await helper.get_final_text() == "abc"
        await leave()
        await asyncio.sleep(0.01)
        await leave_block()
    assert [call.outcome for call in calls] == ["ok", "ok", "abandoned", "abandoned"]
    assert [call.usage for call in calls][1:] == [_STREAM_USAGE, _STARTED_USAGE, _STARTED_USAGE]
    assert api.closed == 4


@pytest.mark.anyio
async def test_cancelled_before_the_response() -> None:
    """A task that is cancelled while it waits is no error."""
    started = asyncio.Event()

    async def hang(request: Any) -> Any:
        started.set()
        await asyncio.sleep(60)

    client = anthropic.AsyncAnthropic(api_key="key", http_client=http.AsyncClient(transport=http.MockTransport(hang)))
    with capture_calls() as calls:
        task = asyncio.create_task(client.messages.create(**REQUEST))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    record = _only(calls)
    assert (record.outcome, record.error_type, record.attempts) == ("cancelled", None, (Attempt(),))


def test_keyboard_interrupt() -> None:
    """Ctrl-C is the app's doing, and goes on to it."""
    api = ScriptedAPI(Answer(fails=KeyboardInterrupt()))
    with capture_calls() as calls, pytest.raises(KeyboardInterrupt):
        api.client().messages.create(**REQUEST)
    assert _only(calls).outcome == "cancelled"


def test_the_sdks_span_is_enriched_and_alone(tracer_provider: TracerProvider, spans: InMemorySpanExporter) -> None:
    """One CLIENT span per call, with cost, finish reason, workflow and an event per retry."""
    api = ScriptedAPI(error(429, "rate_limit_error", **_RETRY), message())
    client = api.client(**traced(tracer_provider))
    with capture_calls() as calls, claudescope.workflow("summarise"):
        client.messages.create(**REQUEST)
    (span,) = spans.get_finished_spans()
    assert (span.kind, span.name) == (SpanKind.CLIENT, "anthropic.messages.create")
    assert span.attributes is not None
    assert {name: span.attributes[name] for name in span.attributes if name.startswith("claude.")} == {
        "claude.outcome": "ok",
        "claude.cost.usd": 0.00046,
        "claude.workflow": "summarise",
    }
    assert span.attributes["gen_ai.response.finish_reasons"] == ("end_turn",)
    (event,) = span.events
    assert event.attributes is not None
    assert (event.name, event.attributes["error.type"], event.attributes["http.response.status_code"]) == (
        "claude.retry",
        "rate_limit_error",
        429,
    )
    assert event.attributes["anthropic.request.id"] == "req_1"
    assert event.attributes["claude.retry.delay"] == calls[0].attempts[0].delay
    assert span.context is not None
    assert (calls[0].span_id, calls[0].trace_id) == (f"{span.context.span_id:016x}", f"{span.context.trace_id:032x}")


def test_a_failed_calls_span(tracer_provider: TracerProvider, spans: InMemorySpanExporter) -> None:
    """A call that raises has its outcome and its kind on the span before the SDK ends it."""
    api = ScriptedAPI(error(429, "rate_limit_error", "No more", code="enforced_spend_limit_reached"))
    client = api.client(**traced(tracer_provider), max_retries=0)
    with capture_calls() as calls, pytest.raises(anthropic.RateLimitError):
        client.messages.create(**REQUEST)
    (span,) = spans.get_finished_spans()
    assert span.attributes is not None
    assert (span.attributes["claude.outcome"], span.attributes["claude.error_type"]) == ("error", "spend_limit_error")
    assert calls[0].error_type == "spend_limit_error"
