"""The `claudescope` command. Invalid input prints one message to standard error and exits with 2."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from typing import NoReturn

import typer
from rich.console import Console
from rich.text import Text

from claudescope._internal.exceptions import BadInputError, MissingExtraError
from claudescope.cli.alerts import alerts
from claudescope.cli.audit import AuditCommand, audit
from claudescope.cli.dashboards import dashboards
from claudescope.cli.demo import demo
from claudescope.cli.doctor import doctor
from claudescope.cli.find import find
from claudescope.cli.init import init
from claudescope.cli.run import run
from claudescope.cli.sentry import sentry
from claudescope.cli.simulate import simulate

__all__ = ["app", "main"]

app = typer.Typer(
    name="claudescope",
    help="OpenTelemetry observability for the Claude API.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(alerts, name="alerts")
app.add_typer(dashboards, name="dashboards")
app.command(cls=AuditCommand)(audit)
app.command()(demo)
app.command()(doctor)
app.command()(find)
app.command()(init)
app.command()(run)
app.command()(simulate)
app.add_typer(sentry, name="sentry")


@app.callback()
def _commands() -> None:
    """OpenTelemetry observability for the Claude API."""


def main() -> None:
    """Run the command line. Exits with 2 on invalid input."""
    try:
        code = app(standalone_mode=False)
    except (BadInputError, MissingExtraError) as error:
        _fail(str(error))
    except typer.BadParameter as error:
        _fail(_with_value(error))
    except Exception as error:
        # typer explains errors of the command as a whole, such as an unknown option, itself.
        show: Callable[[], None] | None = getattr(error, "show", None)
        if show is None:
            raise
        show()
        raise SystemExit(getattr(error, "exit_code", 1)) from None
    raise SystemExit(code)


def _fail(message: str) -> NoReturn:
    # As text, not markup: a message may hold brackets, such as claudescope[simulator].
    Console(stderr=True, soft_wrap=True).print(Text.assemble(("claudescope: ", "bold red"), message))
    raise SystemExit(2)


def _with_value(error: typer.BadParameter) -> str:
    """The message for an invalid value of an option, with the option and the value, which typer omits."""
    names: list[str] = list(getattr(error.param, "opts", []))
    given = [*sys.argv[1:], ""]
    for name, value in itertools.pairwise(given):
        option, equals, attached = name.partition("=")
        if option in names:
            return f"{option} {attached if equals else value}: {error.message}"
    return error.format_message()
