"""What models can do: the table, what the models endpoint adds, whether a request fits, and how it is adapted."""

from __future__ import annotations

import json
import threading
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import anthropic
import pytest

from claudescope.resilience.capabilities import generate_table
from claudescope.resilience.capabilities.fits import adapted, misfits
from claudescope.resilience.capabilities.models import Book, Capabilities, load_table
from claudescope.resilience.capabilities.refresh import Refresher, fetch_with
from claudescope.simulator import Simulator
from tests.servers import wait_for

_TODAY = date(2026, 11, 26)


def _able(model: str) -> Capabilities:
    found = Book().find(model)
    assert found is not None
    return found


def _body(**changes: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 1000, "messages": [{"role": "user", "content": "hello"}], **changes}


def test_the_table_is_what_its_sources_say() -> None:
    """The committed table is what the installed SDK, genai-prices and the published facts give."""
    path = Path(generate_table.__file__).with_name("table_data.py")
    assert path.read_text(encoding="utf-8") == generate_table.generate()


def test_every_model_of_the_sdk_is_known() -> None:
    """The SDK names no model that the table lacks, and each has all facts."""
    for name in generate_table.sdk_models():
        able = load_table()[name]
        assert able.max_input_tokens
        assert able.max_tokens
        assert able.thinking


@pytest.mark.parametrize(
    "name",
    [
        "claude-haiku-4-5",
        "claude-haiku-4-5-20251001",
        "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "claude-haiku-4-5@20251001",
        "global.anthropic.claude-haiku-4-5-20251001-v1:0",
    ],
)
def test_models_are_found_by_the_names_of_platforms(name: str) -> None:
    """Bedrock's and Vertex' names, and dated ones, are the same model."""
    assert _able(name).model == "claude-haiku-4-5"


def test_nothing_is_said_of_unknown_models() -> None:
    """A model that is newer than the table is not refused."""
    assert Book().find("claude-opus-9") is None
    assert Book().find("") is None


@pytest.mark.parametrize(
    ("model", "changes", "reason"),
    [
        ("claude-haiku-4-5", {"messages": [{"role": "user", "content": "word " * 200_000}]}, "window"),
        ("claude-opus-5-5", {"messages": [*_body()["messages"], {"role": "assistant", "content": "{"}]}, "prefilled"),
        ("claude-opus-5-5", {"tool_choice": {"type": "any"}, "tools": [{"name": "t"}]}, "forced tool_choice"),
        ("claude-haiku-4-5", {"messages": [{"role": "system", "content": "x"}, *_body()["messages"]]}, "'system'"),
        ("claude-mythos-preview", {}, "retired"),
        ("claude-3-5-sonnet-20241022", {}, "retired"),
    ],
)
def test_a_model_that_cannot_serve_a_request_says_why(model: str, changes: dict[str, Any], reason: str) -> None:
    """Window, prefill, forced tools, system messages and retirement are reasons, in words."""
    (found,) = misfits(_body(**changes), _able(model), _TODAY)
    assert reason in found


def test_a_model_fits_until_the_day_of_its_end() -> None:
    """The SDK says November 30th of Claude Sonnet 4.5: it serves that day, and not the next."""
    able = _able("claude-sonnet-4-5")
    assert misfits(_body(), able, date(2026, 11, 30)) == ()
    assert misfits(_body(), able, date(2026, 12, 1)) != ()


def test_images_inside_of_tool_results_count() -> None:
    """A model that takes no images does not fit a request whose tool result has one."""
    image = {"type": "image", "source": {"type": "base64", "data": "", "media_type": "image/png"}}
    message = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": [image]}]}
    able = Capabilities("blind", refuses=frozenset({"images"}))
    assert misfits(_body(messages=[message]), able, _TODAY) == ("blind does not take images",)


@pytest.mark.parametrize(
    ("model", "changes", "expected", "said"),
    [
        ("claude-haiku-4-5", {"max_tokens": 128_000}, {"max_tokens": 64_000}, "max_tokens: 128000 becomes 64000"),
        (
            "claude-opus-5-5",
            {"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 4000},
            {"thinking": {"type": "adaptive"}, "max_tokens": 4000},
            "thinking: enabled becomes adaptive",
        ),
        (
            "claude-haiku-4-5",
            {"thinking": {"type": "adaptive", "display": "omitted"}, "max_tokens": 8000},
            {"thinking": {"type": "enabled", "budget_tokens": 4000, "display": "omitted"}, "max_tokens": 8000},
            "thinking: adaptive becomes enabled",
        ),
        ("claude-haiku-4-5", {"thinking": {"type": "adaptive"}}, {"thinking": None}, "thinking: adaptive is left out"),
        (
            "claude-sonnet-5-5",
            {"thinking": {"type": "disabled"}},
            {"thinking": {"type": "between_tools"}},
            "thinking: disabled becomes between_tools",
        ),
        (
            "claude-opus-5-5",
            {"thinking": {"type": "disabled"}},
            {"thinking": None},
            "thinking: disabled is left out",
        ),
        (
            "claude-haiku-4-5",
            {"thinking": {"type": "enabled", "budget_tokens": 70_000}, "max_tokens": 100_000},
            {"thinking": {"type": "enabled", "budget_tokens": 63_999}, "max_tokens": 64_000},
            "thinking.budget_tokens: 70000 becomes 63999",
        ),
        (
            "claude-opus-4-6",
            {"output_config": {"effort": "xhigh", "format": {"type": "json_schema"}}},
            {"output_config": {"effort": "high", "format": {"type": "json_schema"}}},
            "effort: xhigh becomes high",
        ),
        ("claude-haiku-4-5", {"output_config": {"effort": "low"}}, {"output_config": None}, "effort: low is left out"),
        ("claude-opus-5-5", {"temperature": 0.0}, {"temperature": None}, "temperature is left out"),
        ("claude-sonnet-5-5", {"speed": "fast"}, {"speed": None}, "speed: fast is left out"),
    ],
)
def test_parameters_are_adapted_to_the_model(
    model: str, changes: dict[str, Any], expected: dict[str, Any], said: str
) -> None:
    """What the model answers with a 400 is changed as little as possible, and each change is said."""
    body = _body(**changes)
    before = json.dumps(body)
    made, words = adapted(body, _able(model))
    assert {name: made.get(name) for name in expected} == expected
    assert said in words
    assert json.dumps(body) == before
    assert adapted(made, _able(model)) == (made, ())


def test_a_request_that_fits_is_not_changed() -> None:
    """Nothing is adapted where nothing has to be."""
    body = _body(thinking={"type": "adaptive"}, output_config={"effort": "high"})
    assert adapted(body, _able("claude-opus-5-5")) == (body, ())


def test_the_models_endpoint_goes_before_the_table() -> None:
    """The API's limits, capabilities and lifecycle hold; what it leaves out stays as the table has it."""
    book = Book()
    listed = [
        {"id": "claude-opus-9", "max_input_tokens": 5, "max_tokens": 7, "lifecycle": "active"},
        {
            "id": "claude-haiku-4-5-20251001",
            "lifecycle": "retired",
            "max_tokens": 99,
            "retires_at": "2027-01-02T00:00:00Z",
            "capabilities": {
                "image_input": {"supported": False},
                "effort": {"supported": True, "low": {"supported": True}, "high": {"supported": False}},
                "thinking": {"supported": True, "types": {"adaptive": {"supported": True}, "enabled": None}},
            },
        },
    ]
    assert book.learn([*listed, None, {"id": 3}, {"id": ""}, "x"]) == 2
    new, old = book.find("claude-opus-9"), book.find("claude-haiku-4-5")
    assert new == Capabilities("claude-opus-9", 5, 7, source="api")
    assert old is not None
    assert (old.max_input_tokens, old.max_tokens, old.retired) == (200_000, 99, True)
    assert (old.effort, old.thinking) == (frozenset({"low"}), frozenset({"adaptive"}))
    assert "images" in old.refuses
    assert old.retires_on == date(2027, 1, 2)


def test_the_endpoint_is_asked_once_and_in_the_background() -> None:
    """A real endpoint is asked once, outside of the SDK's calls; a call that finds it broken is not delayed."""
    book = Book()
    with Simulator() as simulator:
        client = anthropic.Anthropic(base_url=simulator.url, api_key="x")
        refresher = Refresher(book, clock=lambda: 0.0)
        for _ in range(5):
            refresher.offer(partial(fetch_with, client))
        wait_for("the answer", lambda: (book.find("claude-opus-5-5") or Capabilities("")).source == "api")
        assert sum(simulator.ledger().responses.values()) == 1


def test_a_broken_endpoint_changes_nothing() -> None:
    """Errors and nonsense leave the table as it is, and the endpoint is asked again an hour later."""
    book, now, asked = Book(), [0.0], list[str]()
    refresher = Refresher(book, clock=lambda: now[0])
    done = threading.Semaphore(0)

    def fetch(path: str) -> bytes:
        asked.append(path)
        done.release()
        return b'{"data": 3}'

    refresher.offer(lambda: fetch)
    assert done.acquire(timeout=30)
    refresher.offer(lambda: fetch)
    now[0] = 3601.0
    refresher.offer(lambda: fetch)
    assert done.acquire(timeout=30)
    assert len(asked) == 2
    found = book.find("claude-opus-5-5")
    assert found is not None
    assert found.source == "table"
