"""A loopback server that speaks the Messages API, so that an unmodified SDK can't tell it from the real one.

    with Simulator(scenario="overloaded", seed=7) as simulator:
        Anthropic(base_url=simulator.url, api_key="sim").messages.create(...)
        simulator.ledger().responses    # {"200": 3, "529": 1}

The words used here:

scenario    what the API is like for a while: latencies, output lengths, rate limits, models and faults
fault       a rule of a scenario: a share of the matching requests goes wrong in one way
exchange    one HTTP request and what was answered to it, an answer being optional
ledger      the count of all that was served, which is what a test holds its own counts against

Needs the extra `simulator`. Importing this module does not; using what it offers does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from claudescope._internal.exceptions import require

if TYPE_CHECKING:
    from claudescope.simulator.ledger import Ledger
    from claudescope.simulator.scenario import Fault, Latency, Match, Phase, Scenario, load_scenario, shipped_scenarios
    from claudescope.simulator.server import Simulator

__all__ = [
    "Fault",
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
    # Late, so that this package can be imported, and named in a message, where the extra is not installed.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    for module in ("pydantic", "yaml", "starlette", "uvicorn"):
        require(module, extra="simulator", feature="claudescope.simulator")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'scenario')}"), name)
