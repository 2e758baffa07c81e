"""`claudescope dashboards`: builds, validates and deploys Grafana dashboards."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from claudescope._internal.exceptions import BadInputError, require
from claudescope.cli.check_results import console, exit_if_failed, show_check_results

if TYPE_CHECKING:
    from claudescope_alerts.spec.model import Spec
    from claudescope_dashboards.deploy import Grafana

__all__ = ["dashboards"]

dashboards = typer.Typer(
    help="Build, validate and deploy Grafana dashboards.",
    no_args_is_help=True,
    add_completion=False,
)

SpecOption = Annotated[
    Path | None, typer.Option("--spec", help="The spec file of the alerts. By default the built-in spec.")
]
OutOption = Annotated[Path, typer.Option("--out", help="Folder for the generated files.")]
UrlOption = Annotated[
    str | None,
    typer.Option("--url", envvar="GRAFANA_URL", help="Base URL of Grafana. The token comes from GRAFANA_TOKEN."),
]
FolderOption = Annotated[
    str, typer.Option("--folder", help="Title of the folder in Grafana. Created if it does not exist.")
]
_OUT = Path("claudescope-dashboards")
_FOLDER = "Claude"


@dashboards.command()
def build(spec: SpecOption = None, out: OutOption = _OUT) -> None:
    """Write dashboards for import, provisioning and the sidecar. Writes nothing if a dashboard is invalid."""
    loaded = _load(spec)
    from claudescope_alerts.build import write_build
    from claudescope_dashboards.build import is_generated

    files = _build(loaded)
    changed = write_build(files, out, is_generated)
    console().print(f"{len(files)} files in {out}, {len(changed)} changed", markup=False)


@dashboards.command()
def check(spec: SpecOption = None) -> None:
    """Validate the generated files with every validator on PATH. Lists validators that are missing."""
    loaded = _load(spec)
    from claudescope_dashboards.validators import check_dashboards

    check_results = check_dashboards(loaded)
    show_check_results(check_results)
    exit_if_failed(check_results)


@dashboards.command()
def diff(spec: SpecOption = None, out: OutOption = _OUT, url: UrlOption = None, folder: FolderOption = _FOLDER) -> None:
    """Show what `push` would change; without --url, what `build` would change. Exits with 1 if there are changes."""
    loaded = _load(spec)
    from claudescope_alerts.deploy import Folder, show_difference
    from claudescope_dashboards.build import is_generated

    target = Folder(out, is_generated) if url is None else _grafana(url, folder, "")
    difference = show_difference(target, _build(loaded))
    typer.echo(difference, nl=False)
    if difference:
        raise typer.Exit(1)


@dashboards.command()
def push(
    spec: SpecOption = None,
    url: UrlOption = None,
    folder: FolderOption = _FOLDER,
    message: Annotated[
        str, typer.Option("--message", help="Message in the version history of each changed dashboard.")
    ] = "claudescope dashboards push",
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite/--no-overwrite",
            help="Whether to replace a dashboard that somebody else has changed meanwhile.",
        ),
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
) -> None:
    """Deploy the dashboards to Grafana. Does nothing for dashboards that are up to date."""
    loaded = _load(spec)
    from claudescope_alerts.deploy import show_difference

    if url is None:
        raise BadInputError("expected --url or GRAFANA_URL, such as https://grafana.example.com")
    target = _grafana(url, folder, message, overwrite=overwrite)
    files = _build(loaded)
    if dry_run:
        typer.echo(show_difference(target, files) or "nothing would change\n", nl=False)
        return
    changed = target.apply(files)
    console().print(f"{len(changed)} changed: {', '.join(changed)}" if changed else "nothing to change", markup=False)


def _load(path: Path | None) -> Spec:
    for module in ("grafanalib", "pydantic", "yaml", "promql_parser"):
        require(module, extra="dashboards", feature="claudescope dashboards")
    from claudescope_alerts.spec.model import load_spec

    return load_spec(path)


def _build(spec: Spec) -> dict[str, str]:
    from claudescope_dashboards.build import build as build_files

    return build_files(spec)


def _grafana(url: str, folder: str, message: str, *, overwrite: bool = True) -> Grafana:
    from claudescope_dashboards.deploy import Grafana

    token = os.environ.get("GRAFANA_TOKEN", "").strip()
    if not token:
        raise BadInputError(
            "GRAFANA_TOKEN is not set. Set it to the token of a service account that may edit dashboards"
        )
    return Grafana(url, token, folder=folder, message=message, overwrite=overwrite)
