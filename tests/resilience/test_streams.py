"""Streams that break after their first content: what the app gets, what is billed, and that it is one call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import anthropic
import pytest

import claudescope
from claudescope.resilience.streams.answer import AnswerSoFar
from claudescope.resilience.streams.continuation import PLEASE_CONTINUE
from claudescope.schema.record import CallRecord
from claudescope.simulator import Simulator
from tests.resilience.conftest import Protect
from tests.scripted import MESSAGE, REQUEST, Answer, ScriptedAPI, error, events, http, stream

_QUICK = "error_types: {stream_interrupted_error: {base: 1ms}, overloaded_error: {base: 1ms}}\n"


@dataclass
class Read:
    """What the app got of a stream."""

    events: list[Any] = field(default_factory=list[Any])
    final: Any = None
    error: BaseException | None = None

    @property
    def kinds(self) -> list[str]:
        """The types of the events."""
        return [event.type for event in self.events]

    @property
    def text(self) -> str:
        """The text of the deltas since the last reset."""
        texts: list[str] = []
        for event in self.events:
            if event.type == "claudescope.reset":
                texts = []
            elif event.type == "content_block_delta" and event.delta.type == "text_delta":
                texts.append(event.delta.text)
        return "".join(texts)


def _plain(client: Any, request: dict[str, Any]) -> Read:
    read = Read()
    try:
        for event in client.messages.create(**request, stream=True):
            read.events.append(event)
    except Exception as caught:  # noqa: BLE001 - it is looked at
        read.error = caught
    return read


def _helper(client: Any, request: dict[str, Any]) -> Read:
    read = Read()
    try:
        with client.messages.stream(**request) as answer:
            for event in answer:
                read.events.append(event)
            read.final = answer.get_final_message()
    except Exception as caught:  # noqa: BLE001 - it is looked at
        read.error = caught
    return read


def _async_plain(client: Any, request: dict[str, Any]) -> Read:
    async def run() -> Read:
        read = Read()
        try:
            async for event in await client.messages.create(**request, stream=True):
                read.events.append(event)
        except Exception as caught:  # noqa: BLE001 - it is looked at
            read.error = caught
        await client.close()
        return read

    return asyncio.run(run())


def _async_helper(client: Any, request: dict[str, Any]) -> Read:
    async def run() -> Read:
        read = Read()
        try:
            async with client.messages.stream(**request) as answer:
                async for event in answer:
                    read.events.append(event)
                read.final = await answer.get_final_message()
        except Exception as caught:  # noqa: BLE001 - it is looked at
            read.error = caught
        await client.close()
        return read

    return asyncio.run(run())


def _beta_helper(client: Any, request: dict[str, Any]) -> Read:
    read = Read()
    try:
        with client.beta.messages.stream(**request) as answer:
            for event in answer:
                read.events.append(event)
            read.final = answer.get_final_message()
    except Exception as caught:  # noqa: BLE001 - it is looked at
        read.error = caught
    return read


WAYS: dict[str, Callable[[Any, dict[str, Any]], Read]] = {
    "plain": _plain,
    "helper": _helper,
    "beta-helper": _beta_helper,
    "async-plain": _async_plain,
    "async-helper": _async_helper,
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """A way to read a stream."""
    return str(request.param)


def _read(way: str, script: ScriptedAPI, **changes: Any) -> Read:
    client = script.async_client() if way.startswith("async") else script.client()
    return WAYS[way](client, {**REQUEST, **changes})


def _cut(*words: str, keep: int = 0, breaks: BaseException | None = None) -> Answer:
    """A stream that ends after its `words`, or after so many events."""
    return stream(events(*words)[: keep or 2 + len(words)], breaks=breaks)


_BREAKS = [http.ReadError("gone"), None]


@pytest.mark.parametrize("breaks", _BREAKS, ids=["reset", "just-ends"])
def test_the_rest_follows_in_the_same_stream(
    protect: Protect, calls: list[CallRecord], way: str, breaks: BaseException | None
) -> None:
    """`continue`: one message with a whole grammar, one usage, one record, and what both answers cost."""
    protect(_QUICK + "defaults: {stream: continue}\n")
    script = ScriptedAPI(_cut("Good", " d", breaks=breaks), stream(events("ay", "!")))
    read = _read(way, script)
    assert read.error is None
    assert read.text == "Good day!"
    kinds = [kind for kind in read.kinds if kind != "text"]
    assert kinds == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 4,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    if read.final is not None:
        assert read.final.content[0].text == "Good day!"
        assert read.final.stop_reason == "end_turn"
    delta = next(event for event in read.events if event.type == "message_delta")
    assert delta.usage.output_tokens == 21
    asked = json.loads(script.requests[1][2])["messages"]
    assert asked == [
        *REQUEST["messages"],
        {"role": "assistant", "content": "Good d"},
        {"role": "user", "content": PLEASE_CONTINUE},
    ]
    (record,) = calls
    assert (record.outcome, record.finish_reason) == ("ok", "end_turn")
    assert [attempt.error_type for attempt in record.attempts] == ["stream_interrupted_error", None]
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (110, 20)
    assert [(part.kind, part.usage.output_tokens) for part in record.extra_usage] == [("continuation", 1)]
    assert record.cost_usd is not None
    assert record.cost_usd > Decimal(0)


def test_it_breaks_twice(protect: Protect, calls: list[CallRecord], way: str) -> None:
    """The second continuation has the text of both answers before it."""
    protect(_QUICK + "defaults: {stream: continue}\n")
    script = ScriptedAPI(_cut("a"), _cut("b"), stream(events("c")))
    assert _read(way, script).text == "abc"
    assert json.loads(script.requests[2][2])["messages"][-2]["content"] == "ab"
    assert len(calls[0].attempts) == 3
    assert len(calls[0].extra_usage) == 2


def _tool_events() -> list[dict[str, Any]]:
    start = events("x")[0]
    tool = {"type": "tool_use", "id": "toolu_1", "name": "pay", "input": {}}
    return [
        start,
        {"type": "content_block_start", "index": 0, "content_block": tool},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"usd": 1'}},
    ]


def _thinking_events() -> list[dict[str, Any]]:
    return [
        events("x")[0],
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        },
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}},
    ]


@pytest.mark.parametrize("strategy", ["continue", "partial"])
def test_a_tool_is_never_cut_or_glued(protect: Protect, calls: list[CallRecord], way: str, strategy: str) -> None:
    """Inside `tool_use` no strategy goes on: the app gets the error, and no half input in what came."""
    protect(_QUICK + f"defaults: {{stream: {strategy}}}\n")
    script = ScriptedAPI(stream(_tool_events()), stream())
    read = _read(way, script)
    assert isinstance(read.error, anthropic.APIConnectionError)
    partial = claudescope.partial_message(read.error)
    assert partial is not None
    assert partial.content == []
    assert len(script.requests) == 1
    assert calls[0].error_type == "stream_interrupted_error"


def test_thinking_is_not_carried_on(protect: Protect, way: str) -> None:
    """A stream that breaks while the model thinks can't be carried on: its signature is missing."""
    protect(_QUICK + "defaults: {stream: continue}\n")
    read = _read(way, ScriptedAPI(stream(_thinking_events()), stream()))
    assert read.error is not None


def test_a_json_document_is_not_carried_on(protect: Protect) -> None:
    """Of structured output a second request would begin another document."""
    protect(_QUICK + "defaults: {stream: continue}\n")
    form = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    script = ScriptedAPI(_cut('{"a"'), stream())
    assert _read("plain", script, extra_body={"output_config": form}).error is not None
    assert len(script.requests) == 1


def test_thinking_of_the_rest_is_left_out(protect: Protect, way: str) -> None:
    """The rest may begin with thinking, which is signed for another answer: the app gets only its text."""
    protect(_QUICK + "defaults: {stream: continue}\n")
    rest = events("b")
    for event in rest[1:-2]:
        event["index"] = 1
    thought = [*_thinking_events()[1:], {"type": "content_block_stop", "index": 0}]
    read = _read(way, ScriptedAPI(_cut("a"), stream([rest[0], *thought, *rest[1:]])))
    assert read.error is None
    assert read.text == "ab"
    assert "thinking" not in {getattr(getattr(event, "content_block", None), "type", None) for event in read.events}


def test_a_tool_may_follow_the_rest(protect: Protect, way: str) -> None:
    """A tool that the continuation uses is a block of its own, after the text that is closed first."""
    protect(_QUICK + "defaults: {stream: continue}\n")
    tool = [
        *_tool_events()[:2],
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": '{"usd": 1}'},
        },
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    ]
    read = _read(way, ScriptedAPI(_cut("a"), stream(tool)))
    assert read.error is None
    stops = [event.index for event in read.events if event.type == "content_block_stop"]
    assert stops == [0, 1]
    if read.final is not None:
        assert [block.type for block in read.final.content] == ["text", "tool_use"]
        assert read.final.content[1].input == {"usd": 1}


@pytest.mark.parametrize("breaks", _BREAKS, ids=["reset", "just-ends"])
def test_partial_ends_as_a_whole_stream_does(
    protect: Protect, calls: list[CallRecord], way: str, breaks: BaseException | None
) -> None:
    """`partial`: what came, marked as truncated, and a degraded call in the record."""
    protect(_QUICK + "defaults: {stream: partial}\n")
    script = ScriptedAPI(_cut("Good", " d", breaks=breaks), stream())
    read = _read(way, script)
    assert read.error is None
    assert read.text == "Good d"
    assert read.kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert read.events[-2].delta.truncated is True
    if read.final is not None:
        assert read.final.truncated is True
        assert read.final.stop_reason is None
    assert len(script.requests) == 1
    (record,) = calls
    assert record.outcome == "ok"
    assert record.protection is not None
    assert record.protection.degraded_by == "partial"
    assert [attempt.error_type for attempt in record.attempts] == ["stream_interrupted_error"]


@pytest.mark.parametrize("way", ["helper", "beta-helper", "async-helper"])
def test_a_helper_is_told_to_start_again(protect: Protect, calls: list[CallRecord], way: str) -> None:
    """`restart`: the app gets a reset with what came, then another whole answer, which alone is in the message."""
    protect(_QUICK + "defaults: {stream: restart}\n")
    read = _read(way, ScriptedAPI(_cut("Bad", " d"), stream(events("Good", " day"))))
    assert read.error is None
    (reset,) = [event for event in read.events if event.type == "claudescope.reset"]
    assert (reset.error_type, reset.attempt) == ("stream_interrupted_error", 2)
    assert reset.partial.content[0].text == "Bad d"
    assert read.text == "Good day"
    assert read.final.content[0].text == "Good day"
    assert len(read.final.content) == 1
    (record,) = calls
    assert record.outcome == "ok"
    assert [(part.kind, part.usage.output_tokens) for part in record.extra_usage] == [("restart", 1)]


@pytest.mark.parametrize("way", ["plain", "async-plain"])
def test_plain_events_raise_with_what_came(protect: Protect, calls: list[CallRecord], way: str) -> None:
    """`restart` has no event for plain streams: the SDK's own error is raised, and has what came."""
    protect(_QUICK + "defaults: {stream: restart}\n")
    script = ScriptedAPI(_cut("Bad", breaks=http.ReadError("gone")), stream())
    read = _read(way, script)
    assert isinstance(read.error, http.ReadError)
    assert read.error is not None
    assert claudescope.partial_message(read.error) is not None
    assert len(script.requests) == 1
    assert calls[0].outcome == "error"


def test_texts_are_never_spliced(protect: Protect) -> None:
    """Who reads only texts can't be told to forget them: the error is raised."""
    protect(_QUICK + "defaults: {stream: restart}\n")
    script = ScriptedAPI(_cut("Bad"), stream())
    with script.client().messages.stream(**REQUEST) as answer, pytest.raises(anthropic.APIConnectionError):
        list(answer.text_stream)
    assert len(script.requests) == 1


def test_who_waits_for_the_whole_is_not_told(protect: Protect) -> None:
    """`get_final_message()` alone shows nothing of the restart."""
    protect(_QUICK + "defaults: {stream: restart}\n")
    with ScriptedAPI(_cut("Bad"), stream(events("Good"))).client().messages.stream(**REQUEST) as answer:
        assert answer.get_final_message().content[0].text == "Good"


def test_nothing_follows_a_cancellation(protect: Protect, calls: list[CallRecord]) -> None:
    """An app that stops in the middle gets no restart."""
    protect(_QUICK + "defaults: {stream: continue}\n")
    script = ScriptedAPI(stream(events("a", "b")), stream())
    with script.client().messages.create(**REQUEST, stream=True) as answer:
        for event in answer:
            if event.type == "content_block_delta":
                break
    assert len(script.requests) == 1
    assert [call.outcome for call in calls] == ["abandoned"]


def test_attempts_are_bounded(protect: Protect, calls: list[CallRecord], way: str) -> None:
    """A stream that breaks each time is carried on as often as the policy says, and then raises with what came."""
    protect(_QUICK + "defaults: {stream: continue, retry_budget: null}\n")
    script = ScriptedAPI(*[_cut(word) for word in "abcdefgh"])
    read = _read(way, script)
    assert read.error is not None
    assert claudescope.partial_message(read.error) is not None
    assert len(script.requests) == len(calls[0].attempts) == 3


def test_an_error_event_of_the_api(protect: Protect, calls: list[CallRecord], way: str) -> None:
    """An overloaded model in mid-stream is an error of its own type, and the rest follows."""
    protect(_QUICK + "defaults: {stream: continue}\n")
    broken = _cut("Good")
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    body = [*(broken.body if isinstance(broken.body, list) else []), _sse(overloaded)]
    script = ScriptedAPI(
        Answer(body=body, headers=broken.headers), error(529, "overloaded_error"), stream(events(" day"))
    )
    assert _read(way, script).text == "Good day"
    assert [attempt.error_type for attempt in calls[0].attempts] == ["overloaded_error", "overloaded_error", None]


def _sse(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def test_the_answer_so_far_without_events_of_the_api() -> None:
    """What an app's own decoding makes of events does no harm."""
    answer = AnswerSoFar()
    for event in ({}, {"type": "content_block_delta", "index": 7}, {"type": "content_block_start"}, object()):
        answer.take(event)
    assert answer.message() is None
    assert not answer.is_text
    answer.take({"type": "message_start", "message": MESSAGE})
    assert answer.usage["input_tokens"] == 10


def _billed(calls: list[CallRecord], name: str) -> int:
    """The tokens that the records say were billed."""
    usages = [usage for call in calls for usage in (call.usage, *(part.usage for part in call.extra_usage)) if usage]
    return sum(getattr(usage, name) for usage in usages)


_PATIENT = "{retries: 12, base: 1ms}"


@pytest.mark.parametrize("scenario", ["cut-streams", "mid-stream-errors"])
@pytest.mark.parametrize("strategy", ["continue", "restart", "partial"])
@pytest.mark.parametrize("count", [40, pytest.param(200, marks=pytest.mark.release)])
def test_over_the_simulator(
    protect: Protect, calls: list[CallRecord], scenario: str, strategy: str, count: int
) -> None:
    """Over many streams: what the strategy promises, byte for byte; one record each; what the ledger billed."""
    protect(
        "breaker: null\n"
        f"defaults: {{stream: {strategy}, retry_budget: null, total_attempts: 12}}\n"
        f"error_types: {{stream_interrupted_error: {_PATIENT}, overloaded_error: {_PATIENT}, api_error: {_PATIENT}}}\n"
    )
    whole = 0
    with Simulator(scenario, time_scale=0.0005) as api:
        client = anthropic.Anthropic(base_url=api.url, api_key="simulated")
        for number in range(count):
            messages: Any = [{"role": "user", "content": f"Question {number}"}]
            read = _helper(client, {**REQUEST, "max_tokens": 4000, "messages": messages})
            texts = api.whole_answers(messages)
            assert read.error is None
            assert read.text in texts or (strategy == "partial" and any(text.startswith(read.text) for text in texts))
            assert "".join(block.text for block in read.final.content) == read.text
            whole += read.text in texts
        client.close()
        ledger = api.ledger()
    assert len(calls) == count
    assert all(call.outcome == "ok" for call in calls)
    assert _billed(calls, "input_tokens") == ledger.tokens.input
    assert _billed(calls, "output_tokens") == ledger.tokens.output
    assert sum(len(call.attempts) for call in calls) == sum(ledger.streams.values())
    assert (whole < count) == (strategy == "partial")
