"""Validation before sending: what the API refuses is refused, and nothing else."""

from __future__ import annotations

from datetime import date
from typing import Any

import anthropic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudescope.resilience.body import digest, estimate_tokens
from claudescope.resilience.capabilities.models import Book
from claudescope.resilience.steps import Refused
from claudescope.resilience.validation import MAX_BYTES, check, check_count, in_doubt
from claudescope.simulator import Simulator

_TODAY = date(2026, 11, 26)
_ALL = frozenset({"roles", "empty", "size", "max_tokens", "window", "retired"})
_USER = {"role": "user", "content": "hello"}


def _body(**changes: Any) -> dict[str, Any]:
    return {"model": "claude-opus-5-5", "max_tokens": 100, "messages": [_USER], **changes}


def _refusal(body: dict[str, Any], *checks: str) -> str | None:
    try:
        check(body, frozenset(checks) or _ALL, Book().find(body["model"]), _TODAY)
    except Refused as refused:
        return f"{refused.reason}: {refused.detail}"
    return None


def _use(identity: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "tool_use", "id": identity, "name": "t", "input": {}}]}


def _result(identity: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": identity, "content": "x"}]}


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("roles", {"messages": [{"role": "usr", "content": "x"}]}, "messages.0: the role is 'usr'"),
        ("roles", {"model": "claude-haiku-4-5", "messages": [{"role": "assistant", "content": "x"}]}, "'user' is"),
        ("roles", {"messages": [_USER, {"role": "assistant", "content": "{"}]}, "no prefilled answer"),
        ("roles", {"messages": [_USER, _use("a"), _USER]}, "messages.1: a tool_use has no tool_result"),
        ("roles", {"messages": [_USER, _result("b")]}, "messages.1: a tool_result has no tool_use"),
        (
            "roles",
            {"model": "claude-sonnet-5", "messages": [{"role": "system", "content": "x"}, _USER]},
            "the parameter `system`",
        ),
        ("empty", {"messages": []}, "at least one message"),
        ("empty", {"messages": [{"role": "user", "content": " \n"}]}, "messages.0: the content is empty"),
        ("empty", {"messages": [{"role": "user", "content": []}]}, "messages.0: the content is empty"),
        ("empty", {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]}, "content.0: the text"),
        (
            "empty",
            {"model": "claude-haiku-4-5", "messages": [_USER, {"role": "assistant", "content": "so: "}]},
            "white space",
        ),
        ("size", {"model": "claude-opus-9", "messages": [{"role": "user", "content": "x" * MAX_BYTES}]}, "32 MB"),
        ("max_tokens", {"max_tokens": 200_000}, "max_tokens: 200000 > 128000"),
        ("max_tokens", {"max_tokens": 0}, "max_tokens: it is 0"),
        ("max_tokens", {"max_tokens": "100"}, "max_tokens: it is '100'"),
        ("max_tokens", {"thinking": {"type": "enabled", "budget_tokens": 10}}, "10 < 1024"),
        ("max_tokens", {"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 2000}}, "less than max"),
        ("window", {"messages": [{"role": "user", "content": "x" * 9_000_000}]}, "the window of claude-opus-5-5"),
        ("retired", {"model": "claude-3-5-sonnet-20241022"}, "is retired"),
        ("retired", {"model": "claude-mythos-preview"}, "is retired since 2026-06-30"),
    ],
)
def test_what_the_api_refuses_is_refused(name: str, changes: dict[str, Any], said: str) -> None:
    """Each check finds its problem and says what is wrong; without the check, the request passes."""
    detail = _refusal(_body(**changes), name)
    assert detail is not None
    assert detail.startswith("invalid: ")
    assert said in detail
    if name != "max_tokens":
        assert _refusal(_body(**changes), *({"roles", "empty", "size", "window", "retired"} - {name})) is None


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"messages": [_USER, _USER]},
        {"messages": [_USER, _use("a"), _result("a")]},
        {"messages": [_USER, _use("a"), _use("b"), _result("a"), _result("b"), _USER]},
        {"messages": [{"role": "system", "content": "be brief"}, _USER]},
        {"model": "claude-opus-9", "max_tokens": 10**9},
        {"model": "claude-haiku-4-5", "messages": [_USER, {"role": "assistant", "content": "{"}]},
        {"messages": iter([_USER])},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "u"}}]}]},
        {"messages": [{"role": "user", "content": " " * 2_000_000 + "x"}]},
    ],
)
def test_what_the_api_takes_is_not_refused(changes: dict[str, Any]) -> None:
    """Consecutive roles, answered tools, unknown models and long runs of white space pass every check."""
    assert _refusal(_body(**changes)) is None


def test_every_problem_is_told() -> None:
    """A refusal lists what is wrong, up to five, and quotes nothing of a prompt."""
    messages = [{"role": "secret prompt text of a user", "content": ""}] * 9
    detail = _refusal(_body(messages=messages, max_tokens=0))
    assert detail is not None
    assert "max_tokens" in detail or "more" in detail
    assert "prompt text of a user" not in detail


def test_answers_of_the_sdk_may_be_sent_back() -> None:
    """Messages that hold the SDK's own models are read as those that hold dicts."""
    with Simulator() as simulator:
        client = anthropic.Anthropic(base_url=simulator.url, api_key="x")
        answer = client.messages.create(**_body())
    body = _body(messages=[_USER, {"role": "assistant", "content": answer.content}, _USER])
    assert _refusal(body) is None
    assert estimate_tokens(body).likely > estimate_tokens(_body()).likely
    as_dicts = _body(messages=[_USER, {"role": "assistant", "content": [b.to_dict() for b in answer.content]}, _USER])
    assert digest(body) == digest(as_dicts)


def test_a_count_decides_where_an_estimate_cannot() -> None:
    """Near the window the API's count is asked for, and refuses."""
    able = Book().find("claude-haiku-4-5")
    assert able is not None
    assert not in_doubt(_body(), able)
    assert in_doubt(_body(messages=[{"role": "user", "content": "word " * 100_000}]), able)
    check_count(200_000, able)
    with pytest.raises(Refused, match="200001"):
        check_count(200_001, able)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


@settings(max_examples=40)
@given(
    body=st.fixed_dictionaries(
        {"model": st.just("claude-opus-5-5")}, optional={"messages": _JSON, "max_tokens": _JSON, "thinking": _JSON}
    ),
    messages=st.lists(st.fixed_dictionaries({}, optional={"role": _JSON, "content": _JSON}), max_size=3),
)
def test_nothing_that_an_app_sends_breaks_a_check(body: dict[str, Any], messages: list[Any]) -> None:
    """Whatever the body, a check either passes or refuses, and estimates are ordered."""
    for each in (body, {**body, "messages": messages}):
        _refusal(each)
        estimate = estimate_tokens(each)
        assert 0 <= estimate.low <= estimate.likely <= estimate.high
        assert digest(each) == digest(dict(reversed(each.items())))


def test_estimates_are_near_what_prose_has() -> None:
    """English prose of known length lies between the bounds: 1,000 words have about 1,300 tokens."""
    prose = "The quick brown fox jumps over the lazy dog near the river. " * 100
    estimate = estimate_tokens(_body(messages=[{"role": "user", "content": prose}]))
    assert estimate.low < 1300 < estimate.high
    assert 1200 < estimate.likely < 2200
