"""`claudescope sentry`: what belongs on Sentry's side, as code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from claudescope._internal.exceptions import BadInputError
from claudescope._internal.files import write_atomically
from claudescope.sentry.as_code import build as build_texts

__all__ = ["sentry"]

sentry = typer.Typer(help="Fingerprint rules and alerts for Sentry, as code.", no_args_is_help=True)

_GROUP_BY = ("model", "workflow")


@sentry.callback()
def _commands() -> None:
    """Fingerprint rules and alerts for Sentry, as code."""


@sentry.command()
def build(
    out: Annotated[Path, typer.Option(help="Write the files into this folder.")],
    group_by: Annotated[
        list[str] | None,
        typer.Option(help="Split the issue of a kind by model or workflow, as the app's integration does. Repeatable."),
    ] = None,
) -> None:
    """Write fingerprint rules, Terraform and API payloads, the same every time."""
    split = list(dict.fromkeys(group_by or ()))
    for name in split:
        if name not in _GROUP_BY:
            raise BadInputError(f"--group-by {name}: expected {' or '.join(_GROUP_BY)}")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"--out {out}: {error.strerror}. Name a folder that can be made") from None
    console = Console()
    for name, text in build_texts(split).items():
        write_atomically(out / name, text)
        console.print(f"Written {out / name}", markup=False, soft_wrap=True)
