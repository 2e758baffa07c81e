"""Prints a report on a terminal: a headline, the rows, errors and small tables.

Every name is printed as literal text: a workflow called `[red]` is neither markup nor colour. No information depends on
colour alone, and an ASCII terminal gets ASCII only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Literal

from rich import box
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from claudescope.reporting.model import Report, ReportRow
from claudescope.schema.error_types import ERROR_TYPES

__all__ = ["MAX_ROWS", "format_count", "format_ratio", "format_seconds", "format_usd", "print_report"]

MAX_ROWS = 20
"""Most rows that are printed. The JSON has all of them."""

_NONE = "-"
_BAR_WIDTH = 12
_GAP = 4
_INDENT = 1
_EMPTY = (
    "claudescope: no call to the Claude API has ended so far. If calls are missing, check that the app is instrumented "
    "before its first call, and that it uses the anthropic package."
)
# The app may have set a precision or traps of its own in the current context.
_MONEY = Context(prec=50, rounding=ROUND_HALF_EVEN, traps=[])

_Part = Literal["time", "usage"]


def format_seconds(seconds: float | None) -> str:
    """Format a time: `8.4 ms`, `845 ms`, `8.21 s`, `82.1 s`, `2m 12s`, `1h 4m`; `-` for None."""
    if seconds is None:
        return _NONE
    if seconds < 0.9995:
        return f"{seconds * 1000:.{1 if seconds < 0.00995 else 0}f} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,}h {minutes}m"


def format_usd(usd: Decimal) -> str:
    """Format money in cents, and less than a cent with two significant digits: `$1,204.50`, `$0.25`, `$0.00042`."""
    digits = max(2, 1 - usd.adjusted()) if usd else 2
    return f"${usd.quantize(Decimal((0, (1,), -digits)), context=_MONEY):,f}"


def format_ratio(ratio: float | None) -> str:
    """Format a ratio as a percentage; `-` for None. Only an exact 0 or 1 becomes 0% or 100%."""
    if ratio is None:
        return _NONE
    if ratio in {0, 1}:
        return f"{ratio:.0%}"
    if ratio < 0.001:
        return "<0.1%"
    return f"{ratio:.1%}" if ratio < 0.9995 or ratio > 1 else ">99.9%"


def format_count(count: int | None) -> str:
    """Format a whole number with thousands separators; `-` for None."""
    return _NONE if count is None else f"{count:,}"


def print_report(report: Report, console: Console | None = None) -> None:
    """Print a report as tables.

    Args:
        report: The report.
        console: The console; standard output by default.
    """
    console = Console() if console is None else console
    if not report.calls:
        console.print(Text(_EMPTY))
        return
    console.print(_headline(report))
    parts: list[RenderableType] = [
        *_row_tables(report, console),
        *_notes(report),
        *_error_table(report, console),
        *_side_tables(report, console),
    ]
    for part in parts:
        console.print(Padding(part, (1, 0, 0, _INDENT)))


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of numbers in the tables of rows.

    Attributes:
        header: The header.
        part: The part of a divided table that has the column; None for every part.
        cell: Formats the value of a row.
        is_alarm: Whether the value of a row is printed in red.
    """

    header: str
    part: _Part | None
    cell: Callable[[ReportRow], str]
    is_alarm: Callable[[ReportRow], bool] = lambda _: False


def _cost(row: ReportRow) -> str:
    if not row.unpriced_calls:
        return format_usd(row.cost_usd)
    return f"{format_usd(row.cost_usd)} + ?" if row.cost_usd else "?"


def _first_token(row: ReportRow) -> str:
    return format_seconds(row.time_to_first_chunk.p95 if row.time_to_first_chunk else None)


_COLUMNS = (
    _Column("calls", None, lambda row: format_count(row.calls)),
    _Column("error\nrate", "time", lambda row: format_ratio(row.errors / row.calls), lambda row: row.errors > 0),
    _Column("p50", "time", lambda row: format_seconds(row.duration.p50)),
    _Column("p95", "time", lambda row: format_seconds(row.duration.p95)),
    _Column("p99", "time", lambda row: format_seconds(row.duration.p99)),
    _Column("time to\n1st token\np95", "time", _first_token),
    _Column("tokens\nin", "usage", lambda row: format_count(row.tokens.input)),
    _Column("tokens\nout", "usage", lambda row: format_count(row.tokens.output)),
    _Column("input\ncached", "usage", lambda row: format_ratio(row.cache_hit_ratio)),
    _Column("cost", "usage", _cost, lambda row: row.unpriced_calls > 0),
)


def _has_usage(row: ReportRow) -> bool:
    return bool(row.tokens.input or row.tokens.output or row.unpriced_calls)


def _table(title: str | None = None, *, numbers: Sequence[int] = (), columns: int = 0) -> Table:
    """Make an empty table.

    Args:
        title: The title above it.
        numbers: The indices of columns with numbers.
        columns: The number of columns of a table without header.
    """
    table = Table(
        title=None if title is None else Text(title, style="bold"),
        title_justify="left",
        min_width=None if title is None else len(title),
        box=None if columns else box.SIMPLE_HEAD,
        show_edge=False,
        show_header=not columns,
        pad_edge=False,
        padding=(0, 2 if columns else 1, 0, 0),
        header_style="dim",
        border_style="dim",
    )
    for index in range(columns):
        if index in numbers:
            table.add_column(justify="right", no_wrap=True)
        else:
            table.add_column(overflow="fold")
    return table


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _headline(report: Report) -> RenderableType:
    """The most important numbers."""
    cost = format_usd(report.cost_usd)
    tiles = [
        (format_count(report.calls), "calls", ""),
        (format_ratio(report.error_ratio), "error rate", "red" if report.outcomes["error"] else "green"),
        (f"{cost} + ?" if report.unpriced_calls else cost, "cost", ""),
    ]
    if report.chat_duration is not None:
        tiles.append((format_seconds(report.chat_duration.p95), "p95", ""))
    if report.chat_time_to_first_chunk is not None:
        tiles.append((format_seconds(report.chat_time_to_first_chunk.p95), "1st token p95", ""))
    if report.cache_hit_ratio is not None:
        tiles.append((format_ratio(report.cache_hit_ratio), "input cached", ""))
    if report.retries:
        tiles.append((format_count(sum(report.retries.values())), "retries", "yellow"))
    grid = Table.grid(padding=(0, 1), expand=True)
    for _ in tiles:
        grid.add_column(justify="center")
    grid.add_row(*(Text(value, style=f"bold {style}") for value, _, style in tiles))
    grid.add_row(*(Text(label, style="dim") for _, label, _ in tiles))
    span = format_seconds((report.ended_at - report.started_at).total_seconds())
    return Panel(
        grid,
        title=Text("claudescope", style="bold"),
        title_align="left",
        subtitle=Text(f"{report.started_at:%Y-%m-%d %H:%M:%S %Z}, {span}", style="dim"),
        subtitle_align="right",
        border_style="dim",
    )


def _row_tables(report: Report, console: Console) -> Iterator[Table]:
    """The rows of chat calls, then those of other operations."""
    rows = report.rows[:MAX_ROWS]
    for group in (
        [row for row in rows if row.operation == "chat"],
        [row for row in rows if row.operation != "chat"],
    ):
        if group:
            yield from _first_layout_that_fits(group, console)


def _first_layout_that_fits(rows: Sequence[ReportRow], console: Console) -> Sequence[Table]:
    """One table or one per part, with the names in columns or stacked in one column."""
    parts: list[_Part] = ["time", "usage"] if any(_has_usage(row) for row in rows) else ["time"]
    tables: Sequence[Table] = ()
    layouts: tuple[Sequence[Sequence[_Part]], ...] = ([parts], [[part] for part in parts])
    for layout in layouts:
        for is_stacked in (False, True):
            tables = [_row_table(rows, part, console, is_stacked=is_stacked) for part in layout]
            if all(_width(table, console) <= console.width - _INDENT for table in tables):
                return tables
    return tables


def _row_table(rows: Sequence[ReportRow], parts: Sequence[_Part], console: Console, *, is_stacked: bool) -> Table:
    names: dict[str, Sequence[str | None]] = {
        "operation": [None if row.operation == "chat" else row.operation for row in rows],
        "model": [row.model for row in rows],
        "workflow": [row.workflow for row in rows],
    }
    names = {header: values for header, values in names.items() if any(values)}
    columns = [column for column in _COLUMNS if column.part is None or column.part in parts]
    columns = [column for column in columns if any(column.cell(row) != _NONE for row in rows)]

    table = _table()
    for header in ["\n  ".join(names)] if is_stacked else names:
        table.add_column(header, overflow="fold")
    for column in columns:
        table.add_column(column.header, justify="right", no_wrap=True)
    for index, row in enumerate(rows):
        labels = [values[index] for values in names.values()]
        texts = [_literal(label, console) for label in labels if label is not None or not is_stacked]
        cells = [Text(column.cell(row), style="red" if column.is_alarm(row) else "") for column in columns]
        table.add_row(*([Text("\n  ").join(texts)] if is_stacked else texts), *cells)
    return table


def _notes(report: Report) -> Iterator[Text]:
    """Notes on the rows: how many are not shown, and which cost is unknown."""
    if len(report.rows) > MAX_ROWS:
        yield Text(f"Not shown: {_plural(len(report.rows) - MAX_ROWS, 'row')} with fewer calls. The JSON has all.")
    if report.unpriced_calls:
        calls = _plural(report.unpriced_calls, "call")
        yield Text(f"?  No price is known for the usage of {calls}: the cost excludes it.")


def _error_table(report: Report, console: Console) -> Iterator[Table]:
    """The errors by type, with the owner and what to do; nothing without errors."""
    if not report.errors:
        return
    table = _table("Errors")
    table.add_column("error type", overflow="fold")
    table.add_column("calls", justify="right", no_wrap=True)
    table.add_column("of all", justify="right", no_wrap=True)
    table.add_column("owner", no_wrap=True)
    table.add_column("what to do", ratio=1)
    for name, count in _ranked(report.errors):
        error_type = ERROR_TYPES.get(name)
        table.add_row(
            _literal(name, console, "red"),
            format_count(count),
            format_ratio(count / report.calls),
            _NONE if error_type is None else error_type.owner,
            _NONE if error_type is None else error_type.advice,
        )
    yield table


def _side_tables(report: Report, console: Console) -> Iterator[Table]:
    """The small tables, as many side by side as fit."""
    line: list[Table] = []
    room = console.width - _INDENT
    for table in _small_tables(report, console):
        width = _width(table, console)
        if line and width + _GAP > room:
            yield _side_by_side(line)
            line, room = [], console.width - _INDENT
        line.append(table)
        room -= width + _GAP
    if line:
        yield _side_by_side(line)


def _small_tables(report: Report, console: Console) -> Iterator[Table]:
    """The small tables that have something to show."""
    if report.calls != report.outcomes["ok"]:
        yield _count_table("Outcomes", {name: n for name, n in report.outcomes.items() if n}, console)
    counts = {
        f"Retries, {format_seconds(report.retry_delay_seconds)} waited": report.retries,
        "HTTP attempts": report.attempts_by_status,
        "Finish reasons": report.finish_reasons,
        "Server tools": report.server_tools,
    }
    yield from (_count_table(title, values, console) for title, values in counts.items() if values)
    if report.rate_limits:
        yield _rate_limit_table(report, console)
    if report.cache_hit_ratio is not None:
        yield _cache_table(report, console)


def _count_table(title: str, counts: Mapping[str, int], console: Console) -> Table:
    total = sum(counts.values())
    table = _table(title, columns=3, numbers=(1, 2))
    for name, count in _ranked(counts):
        table.add_row(_literal(name, console), format_count(count), format_ratio(count / total if total else None))
    return table


def _rate_limit_table(report: Report, console: Console) -> Table:
    table = _table("Rate limits, remaining", columns=4, numbers=(2, 3))
    for name, limit in report.rate_limits.items():
        ratio = limit.headroom
        style = "green" if ratio is None or ratio > 0.3 else "yellow" if ratio > 0.1 else "red"
        remaining = f"{format_count(limit.remaining)} of {format_count(limit.limit)}"
        table.add_row(name.replace("_", " "), _bar(ratio, style, console), format_ratio(ratio), remaining)
    return table


def _cache_table(report: Report, console: Console) -> Table:
    tokens = report.tokens
    cached = tokens.cache_read + tokens.cache_write_5m + tokens.cache_write_1h
    table = _table("Input tokens by prompt cache", columns=4, numbers=(2, 3))
    for name, count in (
        ("cache reads", tokens.cache_read),
        ("5 min writes", tokens.cache_write_5m),
        ("1 h writes", tokens.cache_write_1h),
        ("not cached", max(tokens.input - cached, 0)),
    ):
        ratio = count / tokens.input
        table.add_row(name, _bar(ratio, "cyan", console), format_ratio(ratio), format_count(count))
    return table


def _bar(ratio: float | None, style: str, console: Console) -> Text:
    if ratio is None:
        return Text(_NONE)
    full, hollow = ("#", ".") if console.options.ascii_only else ("\u2588", "\u2591")
    # Only a ratio of 1 gets a full bar.
    length = min(max(round(ratio * _BAR_WIDTH), 0), _BAR_WIDTH if ratio >= 1 else _BAR_WIDTH - 1)
    return Text.assemble((full * length, style), (hollow * (_BAR_WIDTH - length), "dim"))


def _literal(value: str | None, console: Console, style: str = "") -> Text:
    """A name from outside as text, without characters that could control the terminal."""
    if value is None:
        return Text(_NONE)
    printable = "".join(char if char.isprintable() else "?" for char in value)
    return Text(printable.encode(console.encoding, "replace").decode(console.encoding), style=style)


def _width(table: Table, console: Console) -> int:
    return Measurement.get(console, console.options.update(width=1000), table).maximum


def _side_by_side(tables: Sequence[Table]) -> Table:
    grid = Table.grid(padding=(0, _GAP, 0, 0))
    grid.add_row(*tables)
    return grid
