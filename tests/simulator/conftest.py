"""A simulator that runs for the whole folder, and clients that point at it."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from anthropic import Anthropic

from claudescope.simulator import Simulator


@pytest.fixture(scope="session")
def shared_simulator() -> Generator[Simulator, None, None]:
    """One server for all tests, as starting one takes longer than most of them."""
    with Simulator(time_scale=0.001) as simulator:
        yield simulator


@pytest.fixture
def simulator(shared_simulator: Simulator) -> Simulator:
    """A simulator as if just started, with the scenario `steady`."""
    shared_simulator.use("steady")
    shared_simulator.reset()
    return shared_simulator


@pytest.fixture
def client(simulator: Simulator) -> Generator[Anthropic, None, None]:
    """An unmodified client that doesn't retry."""
    with Anthropic(base_url=simulator.url, api_key="sim", max_retries=0) as client:
        yield client
