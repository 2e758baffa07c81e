"""A local server that imitates the Messages API. An unmodified SDK works with it as with the real API.

    with Simulator(scenario="overloaded", seed=7) as simulator:
        Anthropic(base_url=simulator.url, api_key="sim").messages.create(...)
        simulator.ledger().responses    # {"200": 3, "529": 1}

Terms:

scenario         how the API behaves: latencies, output lengths, rate limits, models and injected errors
injected error   a rule of a scenario: a share of the matching requests fails in one way
exchange         one HTTP request and its response, if it gets one
ledger           exact counts of everything that was served; tests compare their own counts with it

Importing this module needs no extra. Using one of its names needs the extra `simulator`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from claudescope._internal.exceptions import require

if TYPE_CHECKING:
    from claudescope.simulator.ledger import Ledger
    from claudescope.simulator.scenario import (
        InjectedError,
        Latency,
        Match,
        Phase,
        Scenario,
        load_scenario,
        shipped_scenarios,
    )
    from claudescope.simulator.server import Simulator

__all__ = [
    "InjectedError",
    "Latency",
    "Ledger",
    "Match",
    "Phase",
    "Scenario",
    "Simulator",
    "load_scenario",
    "shipped_scenarios",
]

_HOMES = {"Ledger": "ledger", "Simulator": "server"}


def __getattr__(name: str) -> Any:
    # Imported on first use, so that this package can be imported where the extra is not installed.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    for module in ("pydantic", "yaml", "starlette", "uvicorn"):
        require(module, extra="simulator", feature="claudescope.simulator")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'scenario')}"), name)
