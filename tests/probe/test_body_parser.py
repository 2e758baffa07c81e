"""Bodies that the app reads itself: what was billed is known all the same."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any, get_args

import anthropic
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from claudescope.probe.body_parser import MAX_BODY, BodyForm, BodyReader
from claudescope.schema.record import Usage
from claudescope.testing import capture_calls
from tests.scripted import MESSAGE, REQUEST, Answer, ScriptedAPI, events, message, stream, traced

_ANSWERED = Usage(110, 20, 100)


def _zipped(answer: Answer) -> Answer:
    body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
    packed = gzip.compress(body)
    middle = len(packed) // 2
    return Answer(200, [packed[:middle], packed[middle:]], {**answer.headers, "content-encoding": "gzip"})


def _read(client: anthropic.Anthropic) -> None:
    with client.messages.with_streaming_response.create(**REQUEST) as raw:
        assert json.loads(raw.read())["id"] == "msg_1"


def _parse(client: anthropic.Anthropic) -> None:
    with client.messages.with_streaming_response.create(**REQUEST) as raw:
        assert raw.parse().id == "msg_1"


def _lines(client: anthropic.Anthropic) -> None:
    with client.messages.with_streaming_response.create(**REQUEST, stream=True) as raw:
        assert "event: message_stop" in list(raw.iter_lines())


def _bytes(client: anthropic.Anthropic) -> None:
    with client.messages.with_streaming_response.create(**REQUEST, stream=True) as raw:
        assert b"message_stop" in b"".join(raw.iter_bytes(7))


def _parsed_stream(client: anthropic.Anthropic) -> None:
    with client.messages.with_streaming_response.create(**REQUEST, stream=True) as raw:
        assert [event.type for event in raw.parse()][-1] == "message_stop"


@pytest.mark.parametrize("pack", [lambda answer: answer, _zipped], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("use", "answer"),
    [
        (_read, message()),
        (_parse, message()),
        (_lines, stream()),
        (_bytes, stream()),
        (_parsed_stream, stream()),
    ],
)
def test_usage_of_raw_bodies(
    use: Callable[[anthropic.Anthropic], None],
    answer: Answer,
    pack: Callable[[Answer], Answer],
    tracer_provider: TracerProvider,
    spans: InMemorySpanExporter,
) -> None:
    """Whether the app takes bytes, lines or the parsed body, packed or not, the record has the usage and the cost."""
    api = ScriptedAPI(pack(answer))
    with capture_calls() as calls:
        use(api.client(**traced(tracer_provider)))
    (record,) = calls
    assert (record.outcome, record.usage, record.finish_reason) == ("ok", _ANSWERED, "end_turn")
    assert record.response_model == "claude-opus-5-5"
    (span,) = spans.get_finished_spans()
    assert (span.attributes or {})["claude.cost.usd"] == float(record.cost_usd or 0)
    assert (span.attributes or {})["claude.outcome"] == "ok"


def _lines_left(client: anthropic.Anthropic) -> None:
    with client.messages.with_streaming_response.create(**REQUEST, stream=True) as raw:
        next(iter(raw.iter_lines()))


def _unread(client: anthropic.Anthropic) -> None:
    with client.messages.with_streaming_response.create(**REQUEST):
        pass


@pytest.mark.parametrize(
    ("use", "answer", "outcome", "kind"),
    [
        (_lines_left, stream(), "abandoned", None),
        (_unread, message(), "abandoned", None),
        (
            lambda client: list(_iterate(client)),
            stream(events("a")[:3]),
            "error",
            "stream_interrupted_error",
        ),
        (
            lambda client: list(_iterate(client)),
            stream([*events("a")[:3], {"type": "error", "error": {"type": "overloaded_error", "message": "x"}}]),
            "error",
            "overloaded_error",
        ),
    ],
    ids=["left", "unread", "cut", "error event"],
)
def test_raw_streams_that_do_not_end_well(
    use: Callable[[anthropic.Anthropic], object], answer: Answer, outcome: str, kind: str | None
) -> None:
    """Who reads the bytes sees no exception, and the record tells what happened all the same."""
    api = ScriptedAPI(answer)
    with capture_calls() as calls:
        use(api.client())
    (record,) = calls
    assert (record.outcome, record.error_type) == (outcome, kind)


def _iterate(client: anthropic.Anthropic) -> list[str]:
    with client.messages.with_streaming_response.create(**REQUEST, stream=True) as raw:
        return list(raw.iter_lines())


@pytest.mark.anyio
async def test_async_raw_bodies() -> None:
    """The same for async clients."""
    api = ScriptedAPI(message(), stream())
    client = api.async_client()
    with capture_calls() as calls:
        async with client.messages.with_streaming_response.create(**REQUEST) as raw:
            await raw.read()
        async with client.messages.with_streaming_response.create(**REQUEST, stream=True) as raw:
            async for _ in raw.iter_bytes():
                pass
    assert [(call.outcome, call.usage) for call in calls] == [("ok", _ANSWERED)] * 2


def _reader(form: BodyForm) -> tuple[BodyReader, list[Any]]:
    seen: list[Any] = []
    return BodyReader(lambda chunk: chunk, on_value=seen.append, on_body=seen.append, form=form), seen


def test_a_line_over_two_chunks() -> None:
    """Chunks need not end where lines do, and either line end will do."""
    reader, seen = _reader("events")
    for chunk in (b"event: message_sto", b'p\r\ndata: {"type": "mess', b'age_stop"}\r', b"\n\r\n", b": ping\n"):
        reader.feed(chunk)
    assert seen == [{"type": "message_stop"}]


_STOP = {"type": "message_stop"}


@pytest.mark.parametrize(
    "body",
    [
        b'event: message_stop\rdata: {"type": "message_stop"}\r\r',
        b'event: message_stop\r\ndata: {"type": "message_stop"}\r\n\r\n',
        b'event: message_stop\ndata: {"type":\ndata: "message_stop"}\n\n',
        b'data: {\rdata:"type":\rid: 7\rdata: "message_stop"\r: comment\rdata:}\r\r',
        b'\r\r\n\nevent: message_stop\r\ndata: {"type": "message_stop"}\n\r',
        b'data: {"type": "message_stop"}\n\rdata: {"type": "ping"}\n\n',
    ],
)
def test_events_as_the_sdk_reads_them(body: bytes) -> None:
    """CR, LF or both end a line, several lines of data make one event, and chunks may end anywhere."""
    for size in range(1, len(body) + 1):
        reader, seen = _reader("events")
        for start in range(0, len(body), size):
            reader.feed(body[start : start + size])
        reader.end()
        assert seen == [_STOP]


@pytest.mark.parametrize("line_end", [b"\r", b"\n", b"\r\n"])
def test_streams_with_any_line_end(line_end: bytes) -> None:
    """What a stream was billed is known from its bytes, whatever ends its lines."""
    answer = stream()
    chunks = [chunk.replace(b"\n", line_end) for chunk in answer.body if isinstance(chunk, bytes)]
    with capture_calls() as calls:
        _bytes_of(ScriptedAPI(Answer(body=chunks, headers=answer.headers)).client())
    (record,) = calls
    assert (record.outcome, record.usage, record.finish_reason) == ("ok", _ANSWERED, "end_turn")


def _bytes_of(client: anthropic.Anthropic) -> None:
    with client.messages.with_streaming_response.create(**REQUEST, stream=True) as raw:
        raw.read()


def test_an_event_without_end_is_not_kept() -> None:
    """The lines of data of one event are bounded together."""
    reader, seen = _reader("events")
    for _ in range(MAX_BODY // (1 << 20) + 2):
        reader.feed(b"data: " + b"x" * (1 << 20) + b"\n")
    reader.feed(b"\n")
    assert (seen, len(reader._buffer), reader._data, reader.whole) == ([], 0, [], False)


def test_a_body_without_end_is_not_kept() -> None:
    """Beyond the bound nothing is read along, and nothing is kept."""
    for form in get_args(BodyForm):
        reader, seen = _reader(form)
        for _ in range(MAX_BODY // (1 << 20) + 2):
            reader.feed(b"x" * (1 << 20))
        reader.end()
        assert (seen, len(reader._buffer)) == ([], 0)


def test_other_bodies_are_left_alone() -> None:
    """A body that is no Message is not read along, and neither is one of another operation."""
    api = ScriptedAPI(Answer(body=b"<html>", headers={"content-type": "text/html"}), message(**MESSAGE))
    client = api.client()
    with capture_calls() as calls:
        with client.messages.with_streaming_response.create(**REQUEST) as raw:
            raw.read()
        with client.models.with_streaming_response.retrieve("claude-opus-5-5") as raw_model:
            raw_model.read()
    assert [(call.outcome, call.usage) for call in calls] == [("ok", None), ("ok", None)]
