"""`claudescope audit`: lists the calls to the Claude API in source code, and what their error handling lacks."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from claudescope._internal.exceptions import BadInputError
from claudescope._internal.files import write_atomically
from claudescope.cli.optional_values import OptionalValues

if TYPE_CHECKING:
    from claudescope.audit.scan import Progress as Tell

__all__ = ["AuditCommand", "audit"]


class AuditCommand(OptionalValues):
    """The command, whose option `--diff` may stand without a value."""

    defaults: ClassVar[Mapping[str, str]] = {"--diff": "HEAD"}


def audit(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH…", help="Files and folders to scan.", show_default="as in pyproject.toml, or ."),
    ] = None,
    *,
    output_format: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="table, json, sarif, github or markdown.")
    ] = "table",
    fail_on: Annotated[
        str | None,
        typer.Option(
            metavar="RULE,…",
            help="Exit with 1 if a finding has one of these rules; or any, or none.",
            show_default="any",
        ),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Leave out the findings that this file lists.")
    ] = None,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Write all findings to the baseline, and exit with 0.")
    ] = False,
    diff: Annotated[
        str | None,
        typer.Option(
            metavar="[REF]",
            help="Show only findings on lines that are new since this commit or branch; HEAD by default.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the result to this file.", show_default="standard output")
    ] = None,
) -> None:
    """Find calls to the Claude API in source code, and how their errors are handled. Nothing is imported or run.

    Exits with 1 if there is a finding that --fail-on names.
    """
    # Imported here, so that other commands start without it.
    from claudescope.audit.baseline import read_baseline
    from claudescope.audit.baseline import write_baseline as write_known
    from claudescope.audit.config import parse_fail_on
    from claudescope.audit.formats import FORMATS
    from claudescope.audit.formats.summary import plural
    from claudescope.audit.formats.table import as_table
    from claudescope.audit.scan import find_target, scan

    render = FORMATS.get(output_format)
    if render is None:
        raise BadInputError(f"--format {output_format}: expected one of {', '.join(FORMATS)}")
    if write_baseline and baseline is None:
        raise BadInputError("--write-baseline: name the file to write with --baseline FILE")
    if write_baseline and diff is not None:
        raise BadInputError("--write-baseline: can't be combined with --diff, as a baseline lists all findings")
    if output is not None and not output.absolute().parent.is_dir():
        raise BadInputError(f"--output {output}: the folder {output.absolute().parent} does not exist. Create it first")
    try:
        chosen = None if fail_on is None else parse_fail_on(fail_on)
    except ValueError as error:
        raise BadInputError(f"--fail-on {fail_on}: {error}") from error
    target = find_target(paths or [])
    known = read_baseline(baseline) if baseline is not None and not write_baseline else frozenset[str]()
    with _progress() as tell:
        outcome = scan(target, baseline=known, diff=diff, progress=tell)
    if write_baseline and baseline is not None:
        write_known(baseline, outcome.fingerprints)
        _note(f"{plural(len(outcome.fingerprints), 'finding')} written to {baseline}")
        return
    if output is not None:
        write_atomically(output, render(outcome))
    elif output_format == "table":
        console = Console(highlight=False)
        typer.echo(as_table(outcome, console if console.is_terminal else None), nl=False)
    else:
        typer.echo(render(outcome), nl=False)
    if outcome.report.files == 0:
        _note("no Python file found. Check the paths, .gitignore and the settings")
    if outcome.stale and diff is None:
        some = "1 entry" if outcome.stale == 1 else f"{outcome.stale} entries"
        verb = "matches" if outcome.stale == 1 else "match"
        _note(f"{some} of {baseline} {verb} no finding any more. Write it again with --write-baseline")
    failing = chosen or target.config.fail_on
    raise typer.Exit(1 if any(finding.rule in failing for finding in outcome.report.findings) else 0)


def _note(message: str) -> None:
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"claudescope: {message}", markup=False)


@contextmanager
def _progress() -> Generator[Tell | None]:
    """A bar on standard error, if that is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Searching", total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)
