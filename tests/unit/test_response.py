"""Facts are read off anything that the wire may bring, and nothing absurd becomes one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from anthropic.types import Message
from hypothesis import given
from hypothesis import strategies as st

from claudescope.probe.headers import read_headers
from claudescope.probe.response import MessageFacts
from claudescope.schema.record import RateLimit, Usage

_BODY: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [],
    "stop_reason": "end_turn",
    "usage": {
        "input_tokens": 10,
        "output_tokens": 20,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 25, "ephemeral_1h_input_tokens": 5},
        "output_tokens_details": {"thinking_tokens": 7},
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0, "future_requests": 1},
        "service_tier": "priority",
        "speed": "fast",
    },
}
_USAGE = Usage(140, 20, 100, 25, 5, 7, {"web_search": 2, "future": 1}, "priority", "fast")


@pytest.mark.parametrize("message", [_BODY, Message.construct(**_BODY)], ids=["body", "model"])
def test_reads_a_whole_message(message: object) -> None:
    """A parsed model and a decoded body say the same."""
    facts = MessageFacts()
    facts.read_message(message)
    assert (facts.model, facts.finish_reason, facts.usage()) == ("claude-opus-5-5", "end_turn", _USAGE)


def test_a_delta_replaces_the_start() -> None:
    """The usage of `message_delta` is cumulative: adding it to `message_start` would count twice."""
    facts = MessageFacts()
    facts.read_message({"model": "m", "usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 1}})
    started = facts.usage()
    facts.read_delta(SimpleNamespace(delta={"stop_reason": "max_tokens"}, usage={"output_tokens": 42}))
    assert (started, facts.usage()) == (Usage(15, 1, 5), Usage(15, 42, 5))
    assert facts.finish_reason == "max_tokens"


def test_cache_writes_without_a_breakdown_are_short() -> None:
    """Where the API does not say for how long, it is the default of five minutes."""
    facts = MessageFacts()
    facts.read_message({"usage": {"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 9}})
    assert facts.usage() == Usage(10, 1, 0, 9, 0)


@pytest.mark.parametrize(
    "message",
    [None, 7, "text", [], {}, {"usage": None}, {"usage": 3}, {"usage": {}}, {"usage": {"input_tokens": "10"}}],
)
def test_no_usage_is_none(message: object) -> None:
    """What does not say what was billed gives no usage, rather than one of zeros."""
    facts = MessageFacts()
    facts.read_message(message)
    assert facts.usage() is None


@pytest.mark.parametrize("value", [-1, True, 1.5, float("nan"), "9", 1 << 60, None, [1]])
def test_implausible_counts_are_left_out(value: object) -> None:
    """A count that is none does not reach a metric."""
    facts = MessageFacts()
    facts.read_message({"usage": {"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": value}})
    assert facts.usage() == Usage(3, 4)


@pytest.mark.parametrize("model", ["", "x" * 201, 5, None])
def test_implausible_names_are_left_out(model: object) -> None:
    """A model name from the wire is a short text or nothing."""
    facts = MessageFacts()
    facts.read_message({"model": model})
    assert facts.model is None


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "model": _anything,
            "stop_reason": _anything,
            "usage": st.dictionaries(st.sampled_from(sorted(_BODY["usage"])), _anything),
        },
    )
)
def test_any_body_gives_plausible_usage(body: dict[str, Any]) -> None:
    """Whatever the fields hold, reading them raises nothing and gives parts no larger than their whole."""
    facts = MessageFacts()
    facts.read_message(body)
    usage = facts.usage()
    if usage is not None:
        parts = usage.cache_read_tokens + usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
        assert 0 <= parts <= usage.input_tokens
        assert all(count > 0 for count in usage.server_tools.values())


def test_reads_headers() -> None:
    """Request id, what to wait for, and each limit with its three parts."""
    headers = read_headers(
        [
            (b"Request-Id", b"req_1"),
            (b"retry-after", b"7"),
            (b"anthropic-ratelimit-requests-limit", b"50"),
            (b"anthropic-ratelimit-requests-remaining", b"0"),
            (b"anthropic-ratelimit-requests-reset", b"2026-11-21T12:00:00Z"),
            (b"anthropic-ratelimit-input-tokens-remaining", b"1000"),
            (b"anthropic-ratelimit-unheard-of-limit", b"5"),
            (b"anthropic-ratelimit-tokens-limit", b"many"),
        ]
    )
    assert (headers.request_id, headers.retry_after) == ("req_1", 7.0)
    assert dict(headers.rate_limits or {}) == {
        "requests": RateLimit(50, 0, "2026-11-21T12:00:00Z"),
        "input_tokens": RateLimit(None, 1000, None),
        "tokens": RateLimit(None, None, None),
    }


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ([(b"retry-after-ms", b"250"), (b"retry-after", b"1")], 0.25),
        ([(b"retry-after", b"1"), (b"retry-after-ms", b"250")], 0.25),
        ([(b"retry-after", b"Sat, 21 Nov 2026 12:00:00 GMT")], None),
        ([(b"retry-after-ms", b"soon"), (b"retry-after", b"3")], 3.0),
        ([(b"retry-after", b"-5")], None),
        ([(b"retry-after", b"nan")], None),
        ([], None),
    ],
)
def test_retry_after(raw: list[tuple[bytes, bytes]], expected: float | None) -> None:
    """Milliseconds are the more precise word; what is no number of seconds is left to the SDK."""
    assert read_headers(raw).retry_after == expected


def test_limits_say_their_types_before_they_are_read() -> None:
    """What no response could mean is found out by who looks, and the types are known all the same."""
    limits = read_headers([(b"anthropic-ratelimit-tokens-limit", b"5"), (b"date", b"today")]).rate_limits
    assert limits is not None
    assert (list(limits), len(limits), bool(limits)) == (["tokens"], 1, True)
    assert limits["tokens"] == RateLimit(5, None, None)
    assert repr(limits) == "{'tokens': RateLimit(limit=5, remaining=None, reset=None)}"
    assert read_headers([(b"date", b"today")]).rate_limits is None


def test_a_model_of_anybody_elses() -> None:
    """Usage is read off any object that has its fields, decoded or not, with fields that its type does not know."""
    facts = MessageFacts()
    facts.read_message(SimpleNamespace(model="m", usage=SimpleNamespace(input_tokens=1, output_tokens=2)))
    assert facts.usage() == Usage(1, 2)
    body: dict[str, Any] = {**_BODY, "usage": {**_BODY["usage"], "speed": "fast", "of_tomorrow": 1}}
    facts.read_message(Message.construct(**body))
    usage = facts.usage()
    assert usage is not None
    assert (usage.input_tokens, usage.speed) == (140, "fast")


def test_the_last_of_two_headers_counts() -> None:
    """A proxy that adds a header which is there already is the one that is believed, as its word came last."""
    raw = [
        (b"request-id", b"req_1"),
        (b"anthropic-ratelimit-tokens-limit", b"5"),
        (b"Anthropic-Ratelimit-Tokens-Limit", b"6"),
        (b"REQUEST-ID", b"req_2"),
    ]
    headers = read_headers(raw)
    assert headers.request_id == "req_2"
    assert dict(headers.rate_limits or {}) == {"tokens": RateLimit(6, None, None)}
