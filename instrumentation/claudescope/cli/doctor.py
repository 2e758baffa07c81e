"""`claudescope doctor`: checks the environment of an app, and says how to fix each problem."""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from claudescope._internal.exceptions import BadInputError, require

if TYPE_CHECKING:
    from claudescope.doctor import Finding

__all__ = ["doctor"]

_MARKS: Final = {"ok": ("ok", "green"), "warning": ("warn", "yellow"), "error": ("ERROR", "bold red")}


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    app: Annotated[
        str | None, typer.Option(help="First import this module of the app, to check what it enables.")
    ] = None,
    connect: Annotated[bool, typer.Option(help="Send an empty request to each exporter endpoint.")] = True,
    prometheus: Annotated[
        str | None,
        typer.Option(
            help="Also ask this server, such as http://prometheus:9090, whether rules and dashboards find their series."
        ),
    ] = None,
    spec: Annotated[
        Path | None, typer.Option(help="With --prometheus: the spec file of the rules. By default the built-in spec.")
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="With --prometheus: the tenant, sent as X-Scope-OrgID.")] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="With --prometheus: file that contains a bearer token.")
    ] = None,
) -> None:
    """Find problems that duplicate, lose or leak telemetry. Exits with 1 if there is an error.

    Run it where the app runs: in its virtual environment, with its environment variables.
    """
    # Imported here, so that other commands start without it.
    from claudescope.doctor import run_checks

    if prometheus is None and any(option is not None for option in (spec, tenant, token_file)):
        raise BadInputError("--spec, --tenant and --token-file are of --prometheus: expected it too")
    if app is not None:
        _import(app)
    findings = run_checks(connect=connect)
    if prometheus is not None:
        findings += _backend(prometheus, spec, tenant, token_file)
    errors = sum(finding.level == "error" for finding in findings)
    if as_json:
        typer.echo(
            json.dumps({"errors": errors, "findings": [dataclasses.asdict(each) for each in findings]}, indent=2)
        )
    else:
        _show(findings, errors)
    raise typer.Exit(1 if errors else 0)


def _backend(url: str, spec: Path | None, tenant: str | None, token_file: Path | None) -> list[Finding]:
    """Ask a server for the series of rules and dashboards."""
    for module in ("pydantic", "yaml", "promql_parser"):
        require(module, extra="alerts", feature="claudescope doctor --prometheus")
    from claudescope.doctor import Finding
    from claudescope_alerts.backend import check_backend
    from claudescope_alerts.spec.model import load_spec

    return [
        Finding(f"backend.{found.check}", found.level, found.message, found.fix)
        for found in check_backend(url, load_spec(spec), tenant, token_file)
    ]


def _import(app: str) -> None:
    sys.path.insert(0, str(Path.cwd()))
    try:
        importlib.import_module(app)
    except Exception as error:
        raise BadInputError(
            f"--app {app}: import failed: {type(error).__name__}: {error}. Give a module that can be imported "
            f"from {Path.cwd()}"
        ) from error


def _show(findings: list[Finding], errors: int) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for finding in findings:
        word, style = _MARKS[finding.level]
        line = Text.assemble((f"{word:5}", style), "  ", (finding.check, "bold"), f": {finding.message}")
        console.print(line)
        if finding.fix:
            console.print(Text(f"       -> {finding.fix}", style="cyan"))
    summary = f"{errors} error{'' if errors == 1 else 's'} found." if errors else "No errors found."
    console.print(Text(summary, style="bold red" if errors else "bold green"))
