"""Answers that no target gave, and calls that share one."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import anthropic
import pytest

import claudescope
from claudescope.resilience.answers.cache import RedisAnswers, key_of, value_of
from claudescope.resilience.answers.in_flight import InFlight, Lead
from claudescope.resilience.answers.messages import as_message, events_of, is_final, static_message
from claudescope.resilience.stores.worker import RedisWorker
from tests.scripted import MESSAGE, REQUEST, ScriptedAPI, error, message
from tests.servers import RedisServer

_PATIENT = 20.0


@pytest.fixture(autouse=True)
def _unprotected() -> Generator[None]:
    yield
    claudescope.unprotect()


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Generator[RedisServer]:
    """A Redis for the module."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


def _protect(tmp_path: Path, text: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\n" + text)
    claudescope.protect(path)


def test_equal_calls_share_one_answer() -> None:
    """Of three that ask at once, one asks and two get its answer; where it fails, the next one asks."""
    calls = InFlight()
    lead = calls.join("key", 60)
    assert isinstance(lead, Lead)
    got: list[Any] = []
    threads = [threading.Thread(target=lambda: got.append(calls.join("key", 60))) for _ in range(2)]
    for thread in threads:
        thread.start()
    while len(lead.followers) < 2:
        pass
    lead.end(MESSAGE)
    for thread in threads:
        thread.join()
    assert got == [MESSAGE, MESSAGE]
    again = calls.join("key", 60)
    assert isinstance(again, Lead)
    again.end(None)


def test_tasks_share_one_answer() -> None:
    """The same for tasks; one that has waited long enough asks for itself, and a cancelled one leaves."""

    async def run() -> list[Any]:
        calls = InFlight()
        lead = await calls.join_async("key", 60)
        assert isinstance(lead, Lead)
        waiting = [asyncio.ensure_future(calls.join_async("key", 60)) for _ in range(2)]
        impatient = await calls.join_async("key", 0)
        assert isinstance(impatient, Lead)
        impatient.end(None)
        while len(lead.followers) < 2:  # noqa: ASYNC110 - there is no event of it
            await asyncio.sleep(0)
        waiting[1].cancel()
        while len(lead.followers) > 1:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        lead.end(MESSAGE)
        return [await waiting[0]]

    assert asyncio.run(run()) == [MESSAGE]


def test_a_lead_without_an_answer_is_followed() -> None:
    """The call that fails lets the next one ask."""
    calls = InFlight()
    lead = calls.join("key", 60)
    assert isinstance(lead, Lead)
    got: list[Any] = []
    thread = threading.Thread(target=lambda: got.append(calls.join("key", 60)))
    thread.start()
    while not lead.followers:
        pass
    lead.end(None)
    thread.join()
    assert isinstance(got[0], Lead)


@pytest.mark.parametrize("is_async", [False, True])
def test_deduplicated_calls(tmp_path: Path, is_async: bool) -> None:
    """With `deduplicate`, a call goes on as before where no other is under way."""
    _protect(tmp_path, "defaults: {deduplicate: true}\n")
    script = ScriptedAPI(message(), error(400, "invalid_request_error"))
    client = script.async_client() if is_async else script.client()

    def ask() -> Any:
        made = client.messages.create(**REQUEST)
        return asyncio.run(made) if is_async else made

    assert ask().content[0].text == "Good day"
    with pytest.raises(anthropic.BadRequestError):
        ask()


def rewrite(request: dict[str, Any]) -> dict[str, Any]:
    """Ask in other words."""
    return {**request, "messages": [{"role": "user", "content": "In other words"}]}


def test_what_the_content_policy_refuses_is_asked_in_other_words(tmp_path: Path) -> None:
    """Once, by the function that the policy names."""
    refusal = error(400, "invalid_request_error", "Output blocked by content filtering policy")
    _protect(tmp_path, "defaults: {reformulate: 'tests.resilience.test_answers:rewrite'}\n")
    script = ScriptedAPI(refusal, message(), refusal, refusal)
    client = script.client()
    assert client.messages.create(**REQUEST).content[0].text == "Good day"
    assert b"In other words" in script.requests[1][2]
    with pytest.raises(anthropic.BadRequestError):
        client.messages.create(**REQUEST)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_budget_degrades(tmp_path: Path, is_async: bool) -> None:
    """Above the limit the cheapest model answers, and the second call is charged too."""
    _protect(tmp_path, "budgets: [{usd_per_day: 0.0001, then: degrade}]\ndefaults: {models: [claude-haiku-5-5]}\n")
    script = ScriptedAPI(message(), message(model="claude-haiku-5-5"))
    client = script.async_client() if is_async else script.client()
    claudescope.instrument()
    try:
        for _ in range(2):
            made = client.messages.create(**REQUEST)
            if is_async:
                asyncio.run(made)
    finally:
        claudescope.uninstrument()
    assert [json.loads(body)["model"] for _, _, body in script.requests] == ["claude-opus-5-5", "claude-haiku-5-5"]


def test_answers_in_redis(redis: RedisServer) -> None:
    """Kept answers come back from Redis while they are fresh, sync and async."""
    answers = RedisAnswers(RedisWorker(redis.url, patience=_PATIENT), redis.url)
    key, value = key_of(REQUEST, "scope"), value_of(MESSAGE)
    assert key is not None
    assert value is not None
    answers.put(key, value, 60)
    while (found := answers.get(key, 60)) is None:
        pass
    assert found == MESSAGE
    assert asyncio.run(answers.get_async(key, 60)) == MESSAGE
    assert answers.get(key, -1) is None
    assert answers.get("other", 60) is None


def test_messages_of_every_kind() -> None:
    """A message with thinking and a tool becomes the events that the SDK reads back."""
    content = [
        {"type": "thinking", "thinking": "Hm", "signature": "s"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
        {"type": "text", "text": "Hi", "citations": [{"type": "char_location"}]},
        {"type": "other"},
    ]
    body = events_of({**MESSAGE, "content": content}).decode()
    for kind in ("thinking_delta", "signature_delta", "input_json_delta", "citations_delta", "message_stop"):
        assert f'"{kind}"' in body
    assert not is_final({**MESSAGE, "content": content})
    assert is_final(static_message("x", None))
    made = as_message({"content": "x"}, "m")
    assert made is not None
    assert made["content"] == [{"type": "text", "text": "x"}]
    assert as_message(5, "m") is None
    assert key_of({**REQUEST, "tools": [{}]}, "scope") is None
