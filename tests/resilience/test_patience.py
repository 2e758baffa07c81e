"""Streams that bring nothing: for their first content, between two events, and until the deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from typing import Any

import anthropic
import pytest

import claudescope
from claudescope.schema.record import CallRecord
from claudescope.simulator import Simulator
from claudescope.simulator.scenario import Scenario
from tests.resilience.conftest import Protect
from tests.resilience.test_streams import WAYS
from tests.scripted import REQUEST

_TIMEOUTS = "error_types: {client_timeout_error: {retries: 1, base: 1ms}}\n"


def _scenario(*, after_events: int, attempts: int | None = 1) -> Scenario:
    """Streams of the first attempts stall for longer than any test waits."""
    match = {} if attempts is None else {"attempts": attempts}
    stall = {"type": "stall", "after_events": after_events, "delay": "600s", "match": match}
    return Scenario.model_validate({"name": "stalls", "description": "Streams stall.", "errors": [stall]})


@pytest.fixture
def api() -> Generator[Simulator]:
    """A simulator whose stalls last."""
    with Simulator(_scenario(after_events=1), time_scale=0.05) as simulator:
        yield simulator


def _read(way: str, api: Simulator) -> Any:
    request = {**REQUEST, "max_tokens": 4000}
    if way.startswith("async"):
        return WAYS[way](anthropic.AsyncAnthropic(base_url=api.url, api_key="simulated"), request)
    with anthropic.Anthropic(base_url=api.url, api_key="simulated") as client:
        return WAYS[way](client, request)


@pytest.mark.parametrize("way", WAYS)
def test_no_content_in_time(protect: Protect, calls: list[CallRecord], api: Simulator, way: str) -> None:
    """A stream that begins and then brings no content is asked for once more, unseen by the app."""
    protect(_TIMEOUTS + "defaults: {timeouts: {first_token: 500ms}}\n")
    read = _read(way, api)
    assert read.error is None
    assert read.kinds[-1] == "message_stop"
    assert [attempt.error_type for attempt in calls[0].attempts] == ["client_timeout_error", None]
    assert calls[0].outcome == "ok"


@pytest.mark.parametrize("way", WAYS)
def test_a_stall(protect: Protect, calls: list[CallRecord], api: Simulator, way: str) -> None:
    """A stream that stalls after its content is carried on, where the policy says so."""
    api.use(_scenario(after_events=4))
    protect(_TIMEOUTS + "defaults: {timeouts: {stall: 500ms}, stream: continue}\n")
    read = _read(way, api)
    assert read.error is None
    assert read.text == api.whole_answers(REQUEST["messages"])[0]
    assert [attempt.error_type for attempt in calls[0].attempts] == ["client_timeout_error", None]


@pytest.mark.parametrize("way", WAYS)
def test_a_stall_without_a_strategy(protect: Protect, calls: list[CallRecord], api: Simulator, way: str) -> None:
    """The app gets the SDK's own kind of timeout, which says what happened."""
    api.use(_scenario(after_events=4))
    protect(_TIMEOUTS + "defaults: {timeouts: {stall: 500ms}}\n")
    read = _read(way, api)
    assert isinstance(read.error, anthropic.APITimeoutError)
    assert "stalled for 0.5 s" in str(read.error)
    assert claudescope.classify(read.error).name == "client_timeout_error"
    assert calls[0].error_type == "client_timeout_error"


def test_the_deadline_holds_while_a_stream_is_read(protect: Protect, api: Simulator) -> None:
    """A stream that outlasts the deadline of its call ends, also where the app reads slowly."""
    api.use(_scenario(after_events=4))
    protect("defaults: {deadline: 1s, stream: partial}\n")
    read = _read("helper", api)
    assert read.error is None
    assert read.final.truncated is True


def test_a_slow_consumer_is_no_stall(protect: Protect, calls: list[CallRecord]) -> None:
    """The time in which the app does not read is not counted."""
    protect("defaults: {timeouts: {stall: 300ms, first_token: 5s}}\n")
    with Simulator("steady", time_scale=0.001) as api, anthropic.Anthropic(base_url=api.url, api_key="x") as client:
        kinds: list[str] = []
        request: dict[str, Any] = {**REQUEST, "max_tokens": 8}
        for event in client.messages.create(**request, stream=True):
            kinds.append(event.type)
            time.sleep(0.4)
    assert kinds[-1] == "message_stop"
    assert calls[0].outcome == "ok"


def test_the_connection_is_not_used_again(protect: Protect, api: Simulator) -> None:
    """The connection of a stalled stream is shut, and the client's next calls are well."""
    protect(_TIMEOUTS + "defaults: {timeouts: {first_token: 300ms}}\n")

    async def run() -> list[str]:
        async with anthropic.AsyncAnthropic(base_url=api.url, api_key="simulated") as client:
            found: list[str] = []
            for number in range(3):
                asked: Any = [{"role": "user", "content": f"{number}"}]
                request: dict[str, Any] = {**REQUEST, "messages": asked}
                async with client.messages.stream(**request) as answer:
                    found.append((await answer.get_final_message()).type)
            return found

    assert asyncio.run(run()) == ["message"] * 3
