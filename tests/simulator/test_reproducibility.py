"""Same seed, same answers."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic

from claudescope.simulator import InjectedError, Simulator
from claudescope.simulator.randomness import Randomness, RandomnessSource

from .asks import ASK, ask, steady_with

INTERNAL_ERRORS = (InjectedError(type="overloaded_error", share=0.3), InjectedError(type="refusal", share=0.2))


def _outcomes(seed: int, order: int) -> list[tuple[str, str]]:
    """What 30 requests, ten of them the same, are answered when sent in some order by five threads."""
    questions = [f"Question {number}" for number in range(20)] + ["The same"] * 10
    random.Random(order).shuffle(questions)  # noqa: S311 - an order, no secret
    with (
        Simulator(steady_with(*INTERNAL_ERRORS), seed=seed, time_scale=0.001) as simulator,
        Anthropic(base_url=simulator.url, api_key="sim", max_retries=0) as client,
        ThreadPoolExecutor(5) as pool,
    ):

        def answer_to(question: str) -> tuple[str, str]:
            messages: Any = [{"role": "user", "content": question}]
            try:
                return question, client.messages.create(**ask(messages=messages)).model_dump_json()
            except anthropic.APIStatusError as error:
                return question, f"{error.status_code} {error.request_id}"

        return sorted(pool.map(answer_to, questions))


def test_the_order_of_requests_changes_nothing() -> None:
    """Same seed, other interleaving: the same answers, ids included. Another seed: others."""
    first = _outcomes(seed=1, order=1)
    assert first == _outcomes(seed=1, order=2)
    assert first != _outcomes(seed=2, order=1)
    assert len({answer for _, answer in first}) == 30


@pytest.mark.anyio
async def test_a_reset_starts_over(simulator: Simulator) -> None:
    """After a reset the same requests get the same answers."""
    answers: list[str] = []
    async with AsyncAnthropic(base_url=simulator.url, api_key="sim") as client:
        for _ in range(2):
            simulator.reset()
            answers.append((await client.messages.create(**ASK)).id)
    assert answers[0] == answers[1]


def test_attempts_and_spacing() -> None:
    """Another attempt gets other randomness; how JSON is spaced and ordered makes no difference."""
    box = RandomnessSource(0)
    one = box.draw("POST", "/", b'{"a": 1, "b": 2}', "0")
    again = RandomnessSource(0).draw("POST", "/", b'{"b":2,"a":1}', "0")
    retry = RandomnessSource(0).draw("POST", "/", b'{"a": 1, "b": 2}', "1")
    assert one.identifier("x") == again.identifier("x")
    assert retry.identifier("x") != one.identifier("x")
    assert box.draw("POST", "/", b"no json", "0").identifier("x")


def test_purposes_do_not_disturb_each_other() -> None:
    """Each purpose and each part of a request has numbers of its own."""
    randomness = Randomness("key")
    drawn = {randomness.rng("a").random(), randomness.rng("b").random(), randomness.child("a").rng("a").random()}
    assert len(drawn) == 3
    assert randomness.rng("a").random() in drawn
