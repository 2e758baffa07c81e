"""The requests of the simulator's tests."""

from __future__ import annotations

from typing import Any

from anthropic.types import MessageParam

from claudescope.simulator import InjectedError, Scenario, load_scenario

MODEL = "claude-opus-5-5"
HELLO: list[MessageParam] = [{"role": "user", "content": "Hello, world"}]
ASK: dict[str, Any] = {"model": MODEL, "max_tokens": 1000, "messages": HELLO}


def steady_with(*errors: InjectedError, **changes: Any) -> Scenario:
    """The scenario `steady` with injected errors and other changes."""
    return load_scenario("steady").model_copy(update={"errors": errors, **changes})


def ask(**changes: Any) -> dict[str, Any]:
    """The usual request with changes."""
    return {**ASK, **changes}
