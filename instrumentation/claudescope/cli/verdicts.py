"""How commands print what judges said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer
from rich.console import Console

if TYPE_CHECKING:
    from claudescope_alerts.judges import Verdict

__all__ = ["console", "exit_if_failed", "show_verdicts"]


def console() -> Console:
    """Where messages go: standard error, as standard output is for what is asked for."""
    return Console(stderr=True, soft_wrap=True)


def show_verdicts(verdicts: Iterable[Verdict]) -> None:
    """Print each judge with its verdict, and why."""
    for verdict in verdicts:
        console().print(f"{verdict.outcome:8} {verdict.judge}", markup=False)
        if verdict.detail:
            console().print(verdict.detail, markup=False)


def exit_if_failed(verdicts: Iterable[Verdict]) -> None:
    """Exit with 1 if any judge found something."""
    if any(verdict.outcome == "failed" for verdict in verdicts):
        raise typer.Exit(1)
