"""The `claudescope` command. Bad input gets one clear message on standard error, and exit code 2."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.text import Text

from claudescope.cli.demo import demo
from claudescope.inputs import BadInputError, MissingExtraError

__all__ = ["app", "main"]

app = typer.Typer(
    name="claudescope",
    help="OpenTelemetry observability for the Claude API.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo)


@app.callback()
def _commands() -> None:
    """OpenTelemetry observability for the Claude API."""


def main() -> None:
    """Run the command line. Exits with 2 on bad input."""
    try:
        app()
    except (BadInputError, MissingExtraError) as error:
        # As text, not markup: a message may hold brackets, such as claudescope[simulator].
        Console(stderr=True, soft_wrap=True).print(Text.assemble(("claudescope: ", "bold red"), str(error)))
        raise SystemExit(2) from None
