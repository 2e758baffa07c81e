"""The page of the command line, in typer's own words."""

from __future__ import annotations

import typer
import typer.cli

from claudescope.cli import app

__all__ = ["command_line"]


def command_line() -> str:
    """Every command and option."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="claudescope")
    text: str = typer.cli.get_docs_for_click(obj=command, ctx=context, name="claudescope", title="Command line")
    return text
