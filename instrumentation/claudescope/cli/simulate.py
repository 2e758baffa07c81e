"""`claudescope simulate`: serves the simulated API."""

from __future__ import annotations

import contextlib
import signal
import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from claudescope.simulator import Ledger

__all__ = ["simulate"]


def simulate(
    *,
    scenario: Annotated[str, typer.Option(help="A shipped scenario's name, or a YAML file.")] = "steady",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 for a free one.")] = 0,
    host: Annotated[str, typer.Option(help="Loopback address to listen on.")] = "127.0.0.1",
    seed: Annotated[int, typer.Option(help="The same seed gives the same responses.")] = 0,
    time_scale: Annotated[float, typer.Option(help="Factor for latencies and delays: 0.1 is ten times as fast.")] = 1.0,
    list_scenarios: Annotated[bool, typer.Option("--list", help="List the shipped scenarios and exit.")] = False,
) -> None:
    """Serve a simulated Messages API on this machine until Ctrl-C, then print what was served."""
    # Imported here, so that other commands work without the extra.
    from claudescope.simulator import Simulator, shipped_scenarios

    console = Console(soft_wrap=True, highlight=False, markup=False)
    if list_scenarios:
        width = max(map(len, shipped_scenarios()))
        for name, description in shipped_scenarios().items():
            console.print(f"{name:{width}}  {description}")
        return
    # SIGTERM stops it like Ctrl-C, as shells start background jobs with SIGINT ignored.
    before = {each: signal.signal(each, signal.default_int_handler) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Simulator(scenario, seed=seed, port=port, host=host, time_scale=time_scale) as simulator:
            console.print(f"Scenario {simulator.scenario.name}: {simulator.scenario.description}")
            console.print(f"Listening on {simulator.url}. Press Ctrl-C to stop. To use it with the SDK:\n")
            console.print(f"    export ANTHROPIC_BASE_URL={simulator.url} ANTHROPIC_API_KEY=sim\n")
            with contextlib.suppress(KeyboardInterrupt):
                while True:
                    time.sleep(3600)
        console.print(_table(simulator.ledger()))
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _table(ledger: Ledger) -> Table:
    table = Table("Served", "", "Count", title="What was served", title_justify="left", box=None, header_style="bold")
    table.columns[2].justify = "right"
    sections: dict[str, dict[str, int]] = {
        "responses": dict(ledger.responses),
        "streams": dict(ledger.streams),
        "injected errors": dict(ledger.injected_errors),
        "messages": {"billed": ledger.messages_billed, "billed in batches": ledger.batch_messages_billed},
        "tokens": ledger.to_dict()["tokens"],
    }
    for section, counts in sections.items():
        for number, (name, count) in enumerate(sorted(counts.items())):
            table.add_row("" if number else section, name, f"{count:,}")
    return table
