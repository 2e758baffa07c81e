"""`claudescope doctor`: what is wrong with where an app runs, and how to mend it."""

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

_MARKS: Final = {"ok": ("ok", "green"), "note": ("note", "yellow"), "wrong": ("WRONG", "bold red")}


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    app: Annotated[
        str | None, typer.Option(help="Import this module of the app first, to see what it switches on.")
    ] = None,
    connect: Annotated[bool, typer.Option(help="Ask exporters' endpoints whether they answer.")] = True,
) -> None:
    """Look for what would double, lose or leak telemetry. Exits with 1 where something is wrong.

    Run it where the app runs: in its virtual environment, with its environment variables.
    """
    # Late, as other commands should not wait for it.
    from claudescope.doctor import run_checks

    if app is not None:
        _import(app)
    findings = run_checks(connect=connect)
    bad = sum(finding.level == "wrong" for finding in findings)
    if as_json:
        typer.echo(json.dumps({"wrong": bad, "findings": [dataclasses.asdict(each) for each in findings]}, indent=2))
    else:
        _show(findings, bad)
    raise typer.Exit(1 if bad else 0)


def _import(app: str) -> None:
    sys.path.insert(0, str(Path.cwd()))
    try:
        importlib.import_module(app)
    except Exception as error:
        raise BadInputError(
            f"--app {app}: importing it failed: {type(error).__name__}: {error}. Name a module that can be imported "
            f"from {Path.cwd()}"
        ) from error


def _show(findings: list[Finding], bad: int) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for finding in findings:
        word, style = _MARKS[finding.level]
        line = Text.assemble((f"{word:5}", style), "  ", (finding.check, "bold"), f": {finding.message}")
        console.print(line)
        if finding.fix:
            console.print(Text(f"       -> {finding.fix}", style="cyan"))
    style = "bold red" if bad else "bold green"
    console.print(Text("Nothing is wrong." if not bad else f"{bad} to mend.", style=style))
