"""`claudescope run`: instruments any command without changes to its code."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer
from rich.console import Console

from claudescope import settings
from claudescope._internal.exceptions import BadInputError
from claudescope._internal.files import write_atomically
from claudescope.cli.optional_values import OptionalValues
from claudescope.reporting.model import Report

if TYPE_CHECKING:
    from claudescope.export.prometheus import MetricsEndpoint

__all__ = ["RunCommand", "run"]

_NO_CALLS = (
    "claudescope: no calls recorded. Either the command made none, or its Python does not find claudescope: "
    "install claudescope in the command's environment"
)


class RunCommand(OptionalValues):
    """The command, whose option `--protect` may stand without a value."""

    defaults: ClassVar[Mapping[str, str]] = {"--protect": "default"}

    def is_other(self, word: str) -> bool:
        """No: a file that exists is the policy."""
        del word
        return False


def run(
    command: Annotated[
        list[str] | None,
        typer.Argument(help="The command to run, after --, such as: python app.py", show_default=False),
    ] = None,
    *,
    json: Annotated[Path | None, typer.Option(help="Also write the report to this file, as JSON.")] = None,
    report: Annotated[
        bool | None,
        typer.Option("--report/--no-report", help="Print the report when the command ends.", show_default="report"),
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Serve /metrics for Prometheus on this port, as the sum of all processes.")
    ] = None,
    metrics_host: Annotated[str | None, typer.Option(help="Address of /metrics; 127.0.0.1 by default.")] = None,
    protect: Annotated[
        str | None,
        typer.Option(
            metavar="[FILE]",
            help="Protect the calls of all processes by this policy, or by the built-in one.",
            show_default="CLAUDESCOPE_POLICY",
        ),
    ] = None,
) -> None:
    """Run a command, record the Claude calls of all its processes, and print a report to standard error at the end.

    Exit code, signals, input and output are those of the command. Put options before --.
    """
    if not hasattr(os, "fork"):
        raise BadInputError(
            "claudescope run needs a system with fork and exec. On this system, call claudescope.configure() in the app"
        )
    # Imported here, so that other commands start without it.
    from claudescope.run.launch import find_program, launch

    words = command or []
    find_program(words)
    if json is not None and not json.absolute().parent.is_dir():
        raise BadInputError(f"--json {json}: the folder {json.absolute().parent} does not exist. Create it first")
    for setting in settings.SETTINGS:
        setting.read()  # an invalid variable is reported here, not in each process of the command
    if protect is not None:
        os.environ[settings.POLICY.name] = protect if protect == "default" else str(Path(protect).absolute())
    if settings.POLICY.read() is not None:
        _check_policy(protect)
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
            console.print(_NO_CALLS, markup=False, soft_wrap=True)
        if json is not None:
            try:
                write_atomically(json, result.to_json() + "\n")
            except BadInputError as error:
                console.print(f"claudescope: {error}", markup=False, soft_wrap=True)

    launch(words, endpoint, show)


def _check_policy(given: str | None) -> None:
    """Read the policy, so that its mistakes are reported here, and not in each process of the command."""
    from claudescope.resilience import load_policy
    from claudescope.resilience.policies.load import policy_from_environment

    if given is None:
        policy_from_environment()
    else:
        load_policy(given)


def _endpoint(port: int, host: str) -> MetricsEndpoint:
    from claudescope.export.prometheus import MetricsEndpoint

    endpoint = MetricsEndpoint(port, host, option="--metrics-port ")
    Console(stderr=True).print(f"claudescope: metrics on {endpoint.url}", markup=False, soft_wrap=True)
    return endpoint
