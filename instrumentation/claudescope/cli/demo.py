"""`claudescope demo`: shows what claudescope reports, without an API key and without an app."""

from __future__ import annotations

import os
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from claudescope._internal.exceptions import BadInputError, require
from claudescope._internal.files import write_atomically
from claudescope.reporting.model import Report

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider

    from claudescope.demo import DemoResult

__all__ = ["demo"]


def demo(
    scenario: Annotated[
        str, typer.Option(help="Scenario of the simulated API: a shipped scenario's name, or a YAML file.")
    ] = "mixed",
    duration: Annotated[float, typer.Option(help="Seconds during which new calls start.")] = 15.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same requests and responses.")] = 0,
    json: Annotated[Path | None, typer.Option(help="Also write the report to this file, as JSON.")] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Serve /metrics for Prometheus on this port of 127.0.0.1 during the demo.")
    ] = None,
    live: Annotated[
        bool,
        typer.Option("--live", help="Call the real API, with the key in ANTHROPIC_API_KEY and within --budget."),
    ] = False,
    budget: Annotated[str, typer.Option(help="With --live: stop when this many US dollars are spent.")] = "0.05",
) -> None:
    """Make real SDK calls against a simulated API, and print the report."""
    require("anthropic", extra="instruments", feature="claudescope demo")
    for module in ("starlette", "uvicorn", "yaml"):
        require(module, extra="simulator", feature="claudescope demo")
    if json is not None and not json.absolute().parent.is_dir():
        raise BadInputError(f"--json {json}: the folder {json.absolute().parent} does not exist. Create it first")
    # Imported here, as both import the SDK, which takes time.
    from claudescope.demo import run_demo, run_live
    from claudescope.lifecycle import instrument

    budget_usd = _dollars(budget)
    if live and not os.environ.get("ANTHROPIC_API_KEY"):
        raise BadInputError("--live needs an API key: set ANTHROPIC_API_KEY, or omit --live to use the simulator")
    console = Console()
    instrument(meter_provider=None if metrics_port is None else _serve_metrics(metrics_port, console))
    with console.status("Starting …") as status:

        def show(report: Report) -> None:
            status.update(_progress(report))

        if live:
            result = run_live(seed=seed, duration=duration, budget_usd=budget_usd, on_progress=show)
        else:
            result = run_demo(scenario=scenario, seed=seed, duration=duration, on_progress=show)
    result.report.print(console)
    _print_agreement(result, console)
    if json is not None:
        write_atomically(json, result.report.to_json() + "\n")
        console.print(f"Report written to {json}", markup=False)
    if not result.agrees:
        raise typer.Exit(1)


def _dollars(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise BadInputError(f"--budget {text}: expected an amount in US dollars, such as 0.05") from None


def _progress(report: Report) -> str:
    errors = report.outcomes["error"]
    return (
        f"{report.calls:,} calls, {errors:,} failed, {sum(report.retries.values()):,} retries, "
        f"{report.tokens.input + report.tokens.output:,} tokens, ${report.cost_usd:.4f}"
    )


def _serve_metrics(port: int, console: Console) -> MeterProvider:
    """Serve the demo's metrics on a port of 127.0.0.1."""
    # Imported here, as both take time to import and most demos have no endpoint.
    from opentelemetry.sdk.resources import Resource

    from claudescope.export.prometheus import MetricsEndpoint

    endpoint = MetricsEndpoint(port, option="--metrics-port ")
    provider = endpoint.provider(Resource.create())
    endpoint.start()
    console.print(f"Metrics on {endpoint.url}", markup=False)
    return provider


def _print_agreement(result: DemoResult, console: Console) -> None:
    """Print both counts of the same requests side by side."""
    if result.served is None:
        return
    seen = result.report.attempts_by_status
    console.print()
    table = Table(title="HTTP requests, counted on both sides", title_justify="left", box=None, header_style="dim")
    table.add_column("status")
    table.add_column("claudescope counted", justify="right")
    table.add_column("the API counted", justify="right")
    table.add_column("")
    for status in sorted({*seen, *result.served}):
        ours, theirs = seen.get(status, 0), result.served.get(status, 0)
        table.add_row(status, f"{ours:,}", f"{theirs:,}", "agree" if ours == theirs else "DIFFER")
    console.print(table)
