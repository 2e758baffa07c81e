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

from claudescope._internal.exceptions import BadInputError

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
) -> None:
    """Find problems that duplicate, lose or leak telemetry. Exits with 1 if there is an error.

    Run it where the app runs: in its virtual environment, with its environment variables.
    """
    # Imported here, so that other commands start without it.
    from claudescope.doctor import run_checks

    if app is not None:
        _import(app)
    findings = run_checks(connect=connect)
    errors = sum(finding.level == "error" for finding in findings)
    if as_json:
        typer.echo(
            json.dumps({"errors": errors, "findings": [dataclasses.asdict(each) for each in findings]}, indent=2)
        )
    else:
        _show(findings, errors)
    raise typer.Exit(1 if errors else 0)


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
