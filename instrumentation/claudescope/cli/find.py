"""`claudescope find`: looks an id up in a call log."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from claudescope._internal.call_log import read_call_log
from claudescope._internal.exceptions import BadInputError
from claudescope.schema import attributes as names

__all__ = ["find"]

_IDS: Final = (names.CORRELATION_ID, names.TRACE_ID, names.SPAN_ID, names.REQUEST_ID)
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_ROWS: Final = (
    ("started", names.STARTED_AT),
    ("operation", names.OPERATION),
    ("model", names.REQUEST_MODEL),
    ("workflow", names.WORKFLOW),
    ("outcome", names.OUTCOME),
    ("error type", names.ERROR_TYPE),
    ("status", names.HTTP_STATUS),
    ("attempts", names.ATTEMPTS),
    ("seconds", names.CALL_DURATION),
    ("cost in USD", names.COST),
    ("correlation id", names.CORRELATION_ID),
    ("trace id", names.TRACE_ID),
    ("span id", names.SPAN_ID),
    ("API's request id", names.REQUEST_ID),
)


def find(
    searched: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="A correlation id, trace id, span id, traceparent, or request id of the API."
        ),
    ],
    logs: Annotated[
        list[Path], typer.Argument(metavar="LOG…", help="Logs with a JSON object per call; - for standard input.")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the lines of the log as they are.")] = False,
) -> None:
    """Find the calls that belong to an id in a JSON call log, and every other id that they have.

    The log is what claudescope.sinks.json_formatter writes. Exits with 1 if no call has the id.
    """
    wanted = _normalised(searched)
    found: list[dict[str, Any]] = []
    seen = other = 0
    for line in read_call_log(logs):
        if line.fields is None:
            other += 1
            continue
        seen += 1
        if any(str(line.fields.get(name.name, "")).lower() == wanted for name in _IDS):
            found.append(line.fields)
    if not seen:
        listed = ", ".join(map(str, logs))
        raise BadInputError(f"{listed}: no line is a JSON object; expected a log of claudescope.sinks.json_formatter")
    if as_json:
        for fields in found:
            typer.echo(json.dumps(fields, ensure_ascii=False))
    else:
        _print(found, searched, seen, other)
    if not found:
        raise typer.Exit(1)


def _normalised(searched: str) -> str:
    text = searched.strip().lower()
    if not text:
        raise BadInputError("the id is empty; expected a correlation id, a trace id, a span id or a request id")
    parent = _TRACEPARENT.fullmatch(text)
    return parent[1] if parent else text


def _print(found: list[dict[str, Any]], searched: str, seen: int, other: int) -> None:
    console = Console(soft_wrap=True)
    lines = f"{seen:,} lines" + (f", and {other:,} that are no JSON" if other else "")
    calls = "1 call" if len(found) == 1 else f"{len(found):,} calls"
    console.print(f"{calls} of {searched} in {lines}.", markup=False, highlight=False)
    for fields in found:
        table = Table(show_header=False, box=None, pad_edge=False)
        for title, name in _ROWS:
            if name.name in fields:
                table.add_row(title, str(fields[name.name]), style=None)
        console.print()
        console.print(table, highlight=False)
