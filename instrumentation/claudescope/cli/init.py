"""`claudescope init`: adds alerts and dashboards as code to a repository."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.console import Console

from claudescope._internal.exceptions import BadInputError
from claudescope._internal.files import write_atomically
from claudescope.cli.templates import CiSystem, template_files

__all__ = ["init"]

_NEXT = """\
Next, run in {folder}:
  pip install 'claudescope[alerts,dashboards]'
  claudescope alerts build --spec observability/claudescope.yaml --out observability/alerts
  claudescope dashboards build --spec observability/claudescope.yaml --out observability/dashboards
and commit the generated files."""


def init(
    folder: Annotated[Path, typer.Argument(help="Root folder of the repository.", show_default="this folder")] = Path(),
    ci: Annotated[str, typer.Option(help="The CI system to write a pipeline for: github, gitlab or none.")] = "github",
) -> None:
    """Add a spec and a CI pipeline for alerts and dashboards to a repository. Never overwrites a file."""
    systems: dict[str, CiSystem] = {system: system for system in get_args(CiSystem)}
    chosen = systems.get(ci)
    if chosen is None:
        raise BadInputError(f"--ci {ci}: expected one of {', '.join(systems)}")
    if not folder.is_dir():
        raise BadInputError(
            f"{folder}: the folder does not exist. Create it, or give the root folder of your repository"
        )
    console = Console(soft_wrap=True)
    for path, text in template_files(chosen).items():
        file = folder / path
        if file.exists() or file.is_symlink():
            advice = f". Add this to it: {text.strip()}" if path.name == ".gitlab-ci.yml" else ""
            console.print(f"Kept     {file}{advice}", markup=False, highlight=False)
            continue
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInputError(f"{file.parent}: can't create the folder: {error.strerror}") from error
        write_atomically(file, text)
        console.print(f"Written  {file}", markup=False, highlight=False)
    console.print(_NEXT.format(folder=folder), markup=False, highlight=False)
