"""Pytest fixtures. Use them with `pytest_plugins = ["claudescope.testing.fixtures"]` in your `conftest.py`."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from claudescope.schema.record import CallRecord
from claudescope.simulator import Simulator
from claudescope.testing import capture_calls

__all__ = ["claude_calls", "claude_simulator"]


@pytest.fixture
def claude_calls() -> Generator[list[CallRecord], None, None]:
    """The records of the calls that end during the test."""
    with capture_calls() as calls:
        yield calls


@pytest.fixture
def claude_simulator(monkeypatch: pytest.MonkeyPatch) -> Generator[Simulator, None, None]:
    """A simulated API. Clients without a `base_url` use it during the test.

    Sets `ANTHROPIC_BASE_URL` and `ANTHROPIC_API_KEY`. Needs the extra `simulator`.
    """
    with Simulator() as simulator:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", simulator.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "simulated")
        yield simulator
