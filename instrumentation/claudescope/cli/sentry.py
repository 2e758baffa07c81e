"""`claudescope sentry`: generates fingerprint rules and alerts for Sentry's server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from claudescope._internal.exceptions import BadInputError
from claudescope._internal.files import write_atomically
from claudescope.sentry.as_code import build as build_texts

__all__ = ["sentry"]

sentry = typer.Typer(help="Generate fingerprint rules and alerts for Sentry.", no_args_is_help=True)

_GROUP_BY = ("model", "workflow", "target")


@sentry.callback()
def _commands() -> None:
    """Generate fingerprint rules and alerts for Sentry."""


@sentry.command()
def build(
    out: Annotated[Path, typer.Option(help="Folder for the generated files.")],
    group_by: Annotated[
        list[str] | None,
        typer.Option(
            help="Split the issue of an error type by model, workflow or target, as in the app's Options. Repeatable."
        ),
    ] = None,
) -> None:
    """Write fingerprint rules, and alerts as Terraform and as API payloads."""
    split = list(dict.fromkeys(group_by or ()))
    for name in split:
        if name not in _GROUP_BY:
            raise BadInputError(f"--group-by {name}: expected model, workflow or target")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"--out {out}: {error.strerror}. Give a folder that can be created") from None
    console = Console()
    for name, text in build_texts(split).items():
        write_atomically(out / name, text)
        console.print(f"Written {out / name}", markup=False, soft_wrap=True)
