"""The example page in a real browser: what people read while Claude is not well."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from screenshots.waiting import STORIES, browser, chromium, visit

pytestmark = pytest.mark.release
_ENDINGS = {
    "rate-limit-storm": "The answer is ready.",
    "rate-limit-storm-dark": "Die Antwort ist fertig.",
    "rate-limit-storm-goes-on": "The assistant is very busy right now. Please try again in about 2 minutes.",
    "cut-stream": "The answer was cut off. Please try again.",
    "dead-region": "The answer is ready.",
    "dead-regions": "The assistant is having trouble right now. Please try again in a moment.",
    "cancelled": "The request was cancelled.",
}


@pytest.fixture(scope="module")
def made() -> Generator[Any]:
    """Chromium."""
    path = chromium()
    if path is None:
        pytest.skip("Chromium is not installed")
    with browser(path) as running:
        yield running


@pytest.mark.parametrize("name", STORIES)
def test_the_page(made: Any, name: str) -> None:
    """Each story ends as it should, has told why people wait, and shows nothing of the app or the API."""
    story = STORIES[name]
    seen = visit(made, story)
    assert seen.ending == _ENDINGS[name]
    assert seen.errors == ()
    assert seen.message in " ".join(seen.steps)
    if story.ends == "done":
        assert len(seen.answer) > 50
    if name == "dead-region":
        assert any(step.endswith("Trying another way to reach the assistant.") for step in seen.steps)
    if story.ends == "failed":
        assert seen.answer.startswith("Reference: ")
    everything = " ".join((*seen.steps, seen.answer)).lower()
    assert not [secret for secret in ("claude-", "sk-ant", "127.0.0.1", "backup", "primary") if secret in everything]
