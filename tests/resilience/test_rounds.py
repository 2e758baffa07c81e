"""Answers that `max_tokens` cuts: the rest is asked for, and all become one answer, one record, one cost."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import anthropic
import pytest

import claudescope
from claudescope.schema.record import CallRecord
from claudescope.simulator import Simulator
from tests.resilience.conftest import Protect
from tests.resilience.test_streams import Read, _async_helper, _helper, _plain
from tests.scripted import REQUEST, ScriptedAPI, events, message, stream

_ROUNDS = "defaults: {continue_on_max_tokens: 3}\n"


def _said(text: str, stop_reason: str = "max_tokens", **more: Any) -> Any:
    return message(content=[{"type": "text", "text": text}], stop_reason=stop_reason, **more)


def _create(script: ScriptedAPI, *, is_async: bool, **changes: Any) -> Any:
    if is_async:
        return asyncio.run(script.async_client().messages.create(**{**REQUEST, **changes}))
    return script.client().messages.create(**{**REQUEST, **changes})


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_the_rest_is_asked_for(protect: Protect, calls: list[CallRecord], is_async: bool) -> None:
    """Three answers are one message with the text and the tokens of all, and one record with their cost."""
    protect(_ROUNDS)
    script = ScriptedAPI(_said("One "), _said("two "), _said("three.", "end_turn"))
    answer = _create(script, is_async=is_async)
    assert isinstance(answer, anthropic.types.Message)
    assert [block.text for block in answer.content] == ["One two three."]  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]
    assert answer.stop_reason == "end_turn"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (30, 60)
    assert json.loads(script.requests[2][2])["messages"][1]["content"] == "One two "
    (record,) = calls
    assert record.outcome == "ok"
    assert record.usage is not None
    assert record.usage.output_tokens + sum(part.usage.output_tokens for part in record.extra_usage) == 60
    assert [part.kind for part in record.extra_usage] == ["continuation"] * 2
    assert [attempt.error_type for attempt in record.attempts] == [None] * 3
    assert record.cost_usd is not None
    assert record.cost_usd == 3 * (record.cost_usd - sum(part.cost_usd or 0 for part in record.extra_usage))


def test_rounds_are_bounded(protect: Protect, calls: list[CallRecord]) -> None:
    """After the last round the app sees that the answer is still cut."""
    protect(_ROUNDS)
    script = ScriptedAPI(*[_said(word) for word in "abcdef"])
    answer = _create(script, is_async=False)
    assert answer.stop_reason == "max_tokens"
    assert answer.content[0].text == "abcd"
    assert len(script.requests) == 4
    assert len(calls) == 1


def test_a_tool_that_was_cut_is_asked_again_with_more_room(protect: Protect) -> None:
    """Half a tool's input is not glued to another half."""
    protect(_ROUNDS)
    half = {"type": "tool_use", "id": "toolu_1", "name": "pay", "input": {}}
    whole = {**half, "input": {"usd": 1}}
    said = {"type": "text", "text": "I pay."}
    script = ScriptedAPI(
        message(content=[said, half], stop_reason="max_tokens"), message(content=[said, whole], stop_reason="tool_use")
    )
    answer = _create(script, is_async=False)
    asked = [json.loads(body) for _, _, body in script.requests]
    assert [each["max_tokens"] for each in asked] == [100, 200]
    assert asked[1]["messages"] == REQUEST["messages"]
    assert [block.type for block in answer.content] == ["text", "tool_use"]
    assert answer.content[0].text == "I pay."
    assert answer.content[1].input == {"usd": 1}


def test_a_tool_may_follow_the_rest(protect: Protect) -> None:
    """The text of the first round stands before the tool of the second."""
    protect(_ROUNDS)
    tool = {"type": "tool_use", "id": "toolu_1", "name": "pay", "input": {"usd": 1}}
    answer = _create(ScriptedAPI(_said("I "), message(content=[tool], stop_reason="tool_use")), is_async=False)
    assert [block.type for block in answer.content] == ["text", "tool_use"]
    assert answer.content[0].text == "I "


def test_other_ends_are_ends(protect: Protect) -> None:
    """A stop sequence, a refusal, an end of turn: nothing more is asked for."""
    protect(_ROUNDS)
    for reason in ("end_turn", "stop_sequence", "refusal", "pause_turn", None):
        script = ScriptedAPI(message(stop_reason=reason))
        _create(script, is_async=False)
        assert len(script.requests) == 1


def test_a_round_that_fails_raises(protect: Protect, calls: list[CallRecord]) -> None:
    """What was billed before is in the record of the failure."""
    protect(_ROUNDS)
    script = ScriptedAPI(_said("a"), *[message(stop_reason="max_tokens", content=[])])
    script._answers[1] = type(script._answers[1])(status=400, body=b"{}")  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(anthropic.BadRequestError):
        _create(script, is_async=False)
    (record,) = calls
    assert record.usage is not None
    assert record.usage.output_tokens == 20


def test_complete(protect: Protect) -> None:
    """`complete()` is a call under such a policy, for sync and async clients; it says what it can't do."""
    with pytest.raises(claudescope.BadInputError, match="needs a policy"):
        claudescope.complete(ScriptedAPI().client(), **REQUEST)
    protect("")
    answer = claudescope.complete(ScriptedAPI(_said("a"), _said("b", "end_turn")).client(), **REQUEST)
    assert answer.content[0].text == "ab"
    made = claudescope.complete(ScriptedAPI(_said("a"), _said("b", "end_turn")).async_client(), **REQUEST)
    assert asyncio.run(made).content[0].text == "ab"
    with pytest.raises(claudescope.BadInputError, match="makes no stream"):
        claudescope.complete(ScriptedAPI().client(), **REQUEST, stream=True)
    with pytest.raises(claudescope.BadInputError, match="continue_on_max_tokens"):
        claudescope.complete(ScriptedAPI().client(), rounds=99, **REQUEST)


def _cut_events(*words: str) -> list[dict[str, Any]]:
    made = events(*words)
    made[-2]["delta"]["stop_reason"] = "max_tokens"
    return made


@pytest.mark.parametrize("read", [_plain, _helper, _async_helper], ids=["plain", "helper", "async-helper"])
def test_a_stream_goes_on(protect: Protect, calls: list[CallRecord], read: Any) -> None:
    """The rest follows in the same text block of the same message, with the tokens of all rounds."""
    protect(_ROUNDS)
    script = ScriptedAPI(stream(_cut_events("One ")), stream(_cut_events("two ")), stream(events("three.")))
    client = script.async_client() if read is _async_helper else script.client()
    got: Read = read(client, dict(REQUEST))
    assert got.error is None
    assert got.text == "One two three."
    assert [kind for kind in got.kinds if kind not in {"text", "content_block_delta"}] == [
        "message_start",
        "content_block_start",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert next(event for event in got.events if event.type == "message_delta").usage.output_tokens == 60
    (record,) = calls
    assert (record.outcome, record.finish_reason) == ("ok", "end_turn")
    assert record.usage is not None
    assert record.usage.output_tokens + sum(part.usage.output_tokens for part in record.extra_usage) == 60


def test_over_the_simulator(protect: Protect, calls: list[CallRecord]) -> None:
    """Whole answers and streams are byte for byte what the model had to say, and the ledger's tokens are billed."""
    protect("defaults: {continue_on_max_tokens: 20, total_attempts: 30}\n")
    with Simulator("steady", time_scale=0.0005) as api:
        client = anthropic.Anthropic(base_url=api.url, api_key="simulated")
        for number in range(12):
            messages: Any = [{"role": "user", "content": f"Question {number}"}]
            request: dict[str, Any] = {**REQUEST, "max_tokens": 60, "messages": messages}
            read: Any = _helper(client, request) if number % 2 else client.messages.create(**request).content[0]
            assert read.text == api.whole_answers(messages)[0]
        client.close()
        ledger = api.ledger()
    usages = [usage for call in calls for usage in (call.usage, *(part.usage for part in call.extra_usage)) if usage]
    assert len(calls) == 12
    assert sum(usage.input_tokens for usage in usages) == ledger.tokens.input
    assert sum(usage.output_tokens for usage in usages) == ledger.tokens.output
    assert ledger.messages_billed > 12
