"""`claudescope run`: see the calls of any command, without touching it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from claudescope import settings
from claudescope._internal.exceptions import BadInputError
from claudescope._internal.files import write_atomically
from claudescope.reporting.model import Report

if TYPE_CHECKING:
    from claudescope.export.prometheus import MetricsEndpoint

__all__ = ["run"]

_NO_PROCESS = (
    "claudescope: no call was seen. Either the command made none, or its Python does not find claudescope: "
    "install it where the command's other packages are"
)


def run(
    command: Annotated[
        list[str] | None, typer.Argument(help="The command, after --, such as: python app.py", show_default=False)
    ] = None,
    *,
    json: Annotated[Path | None, typer.Option(help="Also write the report to this file, as JSON.")] = None,
    report: Annotated[
        bool | None,
        typer.Option("--report/--no-report", help="Print the report when the command ends.", show_default="report"),
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Serve /metrics for Prometheus on this port: the sum of all processes.")
    ] = None,
    metrics_host: Annotated[str | None, typer.Option(help="The address to serve it on; 127.0.0.1 by default.")] = None,
) -> None:
    """Run a command with every Claude call of all its processes seen, and report at its end on standard error.

    The command takes this process' place: its exit code, signals, input and output are its own. Options go before --.
    """
    if not hasattr(os, "fork"):
        raise BadInputError(
            "claudescope run needs a system with fork and exec. Call claudescope.configure() in the app"
        )
    # Late, as other commands should not wait for it.
    from claudescope.run.launch import find_program, launch

    words = command or []
    find_program(words)
    if json is not None and not json.absolute().parent.is_dir():
        raise BadInputError(f"--json {json}: there is no folder {json.absolute().parent}. Make it first")
    for setting in settings.SETTINGS:
        setting.read()  # a mistake is told here, and not lost in the command's processes
    printed = settings.REPORT.read() if report is None else report
    port = settings.METRICS_PORT.read() if metrics_port is None else metrics_port
    endpoint = None if port is None else _endpoint(port, metrics_host or settings.METRICS_HOST.read() or "127.0.0.1")
    if json is not None:
        json = json.absolute()

    def show(result: Report) -> None:
        console = Console(file=sys.stderr)
        if printed and result.calls:
            result.print(console)
        elif printed:
            console.print(_NO_PROCESS, markup=False, soft_wrap=True)
        if json is not None:
            try:
                write_atomically(json, result.to_json() + "\n")
            except BadInputError as error:
                console.print(f"claudescope: {error}", markup=False, soft_wrap=True)

    launch(words, endpoint, show)


def _endpoint(port: int, host: str) -> MetricsEndpoint:
    from claudescope.export.prometheus import MetricsEndpoint

    endpoint = MetricsEndpoint(port, host, option="--metrics-port ")
    Console(stderr=True).print(f"claudescope: metrics on {endpoint.url}", markup=False, soft_wrap=True)
    return endpoint
