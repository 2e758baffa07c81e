"""Requests that the API refuses, in its own words."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import Anthropic

from claudescope.simulator import Simulator

from .asks import ASK, HELLO, MODEL, ask

KEY = {"x-api-key": "sim", "anthropic-version": "2023-06-01"}
THINKING_DOCS = (
    "Please consult our documentation at "
    "https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size"
)
TOOL = {"name": "t", "input_schema": {"type": "object"}}


@pytest.fixture
def wire(simulator: Simulator) -> Generator[httpx2.Client, None, None]:
    """A plain HTTP client, for what the SDK doesn't send."""
    with httpx2.Client(base_url=simulator.url, headers=KEY) as client:
        yield client


def _error(response: httpx2.Response) -> tuple[int, str, str]:
    body = response.json()
    assert body["type"] == "error"
    assert body["request_id"] == response.headers["request-id"]
    return response.status_code, body["error"]["type"], body["error"]["message"]


def test_a_key_is_needed(simulator: Simulator) -> None:
    """401 without a key; a bearer token is one too."""
    version = {"anthropic-version": "2023-06-01"}
    with httpx2.Client(base_url=simulator.url) as client:
        assert _error(client.post("/v1/messages", json=ASK, headers=version)) == (
            401,
            "authentication_error",
            "x-api-key header is required",
        )
        bearer = {**version, "authorization": "Bearer sim"}
        assert client.post("/v1/messages", json=ASK, headers=bearer).status_code == 200
        assert _error(client.get("/v1/models", headers={"x-api-key": "sim"})) == (
            400,
            "invalid_request_error",
            "anthropic-version: header is required",
        )


INVALID: list[tuple[dict[str, Any], str]] = [
    ({"max_tokens": None}, "max_tokens: Field required"),
    ({"model": None}, "model: Field required"),
    ({"messages": None}, "messages: Field required"),
    ({"messages": []}, "messages: List should have at least 1 item after validation, not 0"),
    ({"max_tokens": "5"}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
    ({"colour": "red"}, "colour: Extra inputs are not permitted"),
    (
        {"messages": [{"role": "robot", "content": "x"}]},
        "messages.0.role: Input should be 'user', 'assistant' or 'system'",
    ),
    ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content: Input should be a valid string"),
    (
        {"messages": [{"role": "user", "content": ""}, {"role": "user", "content": "x"}]},
        "messages.0: user messages must have non-empty content",
    ),
    ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages.0.content.0.type: Field required"),
    (
        {"messages": [{"role": "assistant", "content": "x"}]},
        "messages: at least one message with the role `user` is required",
    ),
    ({"tools": [{"input_schema": {}}]}, "tools.0.custom.name: Field required"),
    ({"tools": [{"name": "t"}]}, "tools.0.custom.input_schema: Field required"),
    ({"tools": [TOOL, TOOL]}, "tools: Tool names must be unique."),
    (
        {"tool_choice": {"type": "any"}},
        "tool_choice: tool_choice may only be specified while providing tools.",
    ),
    (
        {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "u"}},
        "tool_choice: Tool 'u' not found in provided tools",
    ),
    ({"thinking": {"type": "enabled"}}, "thinking.enabled.budget_tokens: Field required"),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 5}},
        "thinking.budget_tokens: Input should be greater than or equal to 1024",
    ),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 2000}},
        "`max_tokens` must be greater than `thinking.budget_tokens`. " + THINKING_DOCS,
    ),
    (
        {
            "max_tokens": 4000,
            "thinking": {"type": "enabled", "budget_tokens": 2000},
            "tools": [TOOL],
            "tool_choice": {"type": "any"},
        },
        "Thinking may not be enabled when tool_choice forces tool use.",
    ),
]


@pytest.mark.parametrize(("changes", "message"), INVALID)
def test_a_bad_request_is_a_400_that_names_the_field(
    wire: httpx2.Client, changes: dict[str, Any], message: str
) -> None:
    """The first mistake is told in the API's wording."""
    body = {name: value for name, value in ask(**changes).items() if value is not None}
    assert _error(wire.post("/v1/messages", json=body)) == (400, "invalid_request_error", message)


@pytest.mark.parametrize("raw", [b"{not json", b"[]", b"", b"[" * 100_000])
def test_a_body_must_be_a_json_object(wire: httpx2.Client, raw: bytes) -> None:
    """What is no JSON object is a 400."""
    assert _error(wire.post("/v1/messages", content=raw))[:2] == (400, "invalid_request_error")


def test_a_body_may_have_32_megabytes(wire: httpx2.Client) -> None:
    """One byte more is a 413."""
    fits = json.dumps(ASK).ljust(32 * 1024 * 1024)
    assert wire.post("/v1/messages", content=fits).status_code == 200
    assert _error(wire.post("/v1/messages", content=fits + " ")) == (
        413,
        "request_too_large",
        "Request exceeds the maximum size",
    )


def test_a_prompt_must_fit_the_model(wire: httpx2.Client) -> None:
    """A longer one is a 400."""
    body = ask(system="long" * 200_000)
    assert _error(wire.post("/v1/messages", json=body)) == (
        400,
        "invalid_request_error",
        "prompt is too long: 200006 tokens > 200000 maximum",
    )


def test_an_unknown_model_is_a_404(client: Anthropic) -> None:
    """For messages, counting and the models themselves."""
    asks = (
        lambda: client.messages.create(**ask(model="claude-x")),
        lambda: client.messages.count_tokens(model="claude-x", messages=HELLO),
        lambda: client.models.retrieve("claude-x"),
    )
    for refused in asks:
        with pytest.raises(anthropic.NotFoundError) as caught:
            refused()
        assert caught.value.api_message == "model: claude-x"


def test_paths_and_methods_that_the_api_lacks(wire: httpx2.Client, simulator: Simulator) -> None:
    """404 and 405 with the API's body, and in the ledger."""
    assert _error(wire.get("/v1/nothing")) == (404, "not_found_error", "Not Found")
    assert _error(wire.get("/v1/messages")) == (405, "invalid_request_error", "Method Not Allowed")
    assert simulator.ledger().endpoints == {"GET (unknown)": {"404": 1}, "GET /v1/messages": {"405": 1}}


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "after_id=nobody", "before_id=nobody"])
def test_a_page_must_make_sense(wire: httpx2.Client, query: str) -> None:
    """Limits and cursors are checked."""
    assert _error(wire.get(f"/v1/models?{query}"))[:2] == (400, "invalid_request_error")


def test_an_odd_retry_count_is_a_first_attempt(wire: httpx2.Client) -> None:
    """A header that is no number is left aside, and an older parameter is taken."""
    body = ask(temperature=0.5, messages=[*HELLO, {"role": "assistant", "content": ""}])
    response = wire.post("/v1/messages", json=body, headers={"x-stainless-retry-count": "many"})
    assert (response.status_code, response.json()["model"]) == (200, MODEL)
