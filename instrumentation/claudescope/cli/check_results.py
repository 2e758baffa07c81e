"""Prints the results of validators."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer
from rich.console import Console

if TYPE_CHECKING:
    from claudescope_alerts.validators import CheckResult

__all__ = ["console", "exit_if_failed", "show_check_results"]


def console() -> Console:
    """The console for messages: standard error, as standard output is for results."""
    return Console(stderr=True, soft_wrap=True)


def show_check_results(check_results: Iterable[CheckResult]) -> None:
    """Print each validator with its result and details."""
    for check_result in check_results:
        console().print(f"{check_result.outcome:8} {check_result.validator}", markup=False)
        if check_result.detail:
            console().print(check_result.detail, markup=False)


def exit_if_failed(check_results: Iterable[CheckResult]) -> None:
    """Exit with 1 if any validation failed."""
    if any(check_result.outcome == "failed" for check_result in check_results):
        raise typer.Exit(1)
