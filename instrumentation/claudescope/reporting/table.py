"""Draws a report for a terminal: a headline, the rows, and what explains them.

Every name is drawn as literal text, whatever it contains: a workflow called `[red]` is neither markup nor
colour. Nothing is told by colour alone, and where the terminal has ASCII only, so has the drawing.
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
"""How many rows are drawn. All of them are in the JSON."""

_NONE = "-"
_BAR_WIDTH = 12
_GAP = 4
_INDENT = 1
_EMPTY = (
    "claudescope: no call to the Claude API has ended so far. If there should be some: was the app instrumented "
    "before it made them, and does it make them through the anthropic package?"
)
# The app may have set a precision or traps of its own in the current context.
_MONEY = Context(prec=50, rounding=ROUND_HALF_EVEN, traps=[])

_Part = Literal["time", "usage"]


def format_seconds(seconds: float | None) -> str:
    """A time as a person says it: `8.4 ms`, `845 ms`, `8.21 s`, `82.1 s`, `2m 12s`, `1h 4m`; `-` for None."""
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
    """Money to the cent; less than a dollar with two significant digits: `$1,204.50`, `$0.25`, `$0.00042`."""
    digits = max(2, 1 - usd.adjusted()) if usd else 2
    return f"${usd.quantize(Decimal((0, (1,), -digits)), context=_MONEY):,f}"


def format_ratio(share: float | None) -> str:
    """A share as a percentage, never rounded to a 0 % or a 100 % that it is not; `-` for None."""
    if share is None:
        return _NONE
    if share in {0, 1}:
        return f"{share:.0%}"
    if share < 0.001:
        return "<0.1%"
    return f"{share:.1%}" if share < 0.9995 or share > 1 else ">99.9%"


def format_count(count: int | None) -> str:
    """A whole number with thousands separators; `-` for None."""
    return _NONE if count is None else f"{count:,}"


def print_report(report: Report, console: Console | None = None) -> None:
    """Write a report as tables.

    Args:
        report: What to draw.
        console: Where to; standard output by default.
    """
    console = Console() if console is None else console
    if not report.calls:
        console.print(Text(_EMPTY))
        return
    drawing = _Drawing(report, console)
    console.print(drawing.headline())
    parts: list[RenderableType] = [*drawing.rows(), *drawing.notes(), *drawing.errors(), *drawing.side_tables()]
    for part in parts:
        console.print(Padding(part, (1, 0, 0, _INDENT)))


@dataclass(frozen=True, slots=True)
class _Column:
    """A number in the tables of rows, and the part of a divided table that shows it; None for each part."""

    header: str
    part: _Part | None
    cell: Callable[[ReportRow], str]
    is_alarm: Callable[[ReportRow], bool] = lambda _: False


def _cost(row: ReportRow) -> str:
    if not row.unpriced_calls:
        return format_usd(row.cost_usd)
    return f"{format_usd(row.cost_usd)} + ?" if row.cost_usd else "?"


def _first_chunk(row: ReportRow) -> str:
    return format_seconds(row.time_to_first_chunk.p95 if row.time_to_first_chunk else None)


_COLUMNS = (
    _Column("calls", None, lambda row: format_count(row.calls)),
    _Column("errors", "time", lambda row: format_ratio(row.errors / row.calls), lambda row: row.errors > 0),
    _Column("p50", "time", lambda row: format_seconds(row.duration.p50)),
    _Column("p95", "time", lambda row: format_seconds(row.duration.p95)),
    _Column("p99", "time", lambda row: format_seconds(row.duration.p99)),
    _Column("1st chunk\np95", "time", _first_chunk),
    _Column("tokens\nin", "usage", lambda row: format_count(row.tokens.input)),
    _Column("tokens\nout", "usage", lambda row: format_count(row.tokens.output)),
    _Column("input\ncached", "usage", lambda row: format_ratio(row.cache_hit_ratio)),
    _Column("cost", "usage", _cost, lambda row: row.unpriced_calls > 0),
)


def _has_usage(row: ReportRow) -> bool:
    return bool(row.tokens.input or row.tokens.output or row.unpriced_calls)


def _table(title: str | None = None, *, numbers: Sequence[int] = (), columns: int = 0) -> Table:
    """An empty table.

    Args:
        title: What is written above it.
        numbers: Which of the columns are numbers.
        columns: How many columns without a header it has.
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


class _Drawing:
    """The parts of one report, drawn for one console."""

    def __init__(self, report: Report, console: Console) -> None:
        self._report = report
        self._console = console

    def headline(self) -> RenderableType:
        """What a glance should find."""
        report = self._report
        cost = format_usd(report.cost_usd)
        tiles = [
            (format_count(report.calls), "calls", ""),
            (format_ratio(report.error_ratio), "errors", "red" if report.outcomes["error"] else "green"),
            (f"{cost} + ?" if report.unpriced_calls else cost, "cost", ""),
        ]
        if report.chat_duration is not None:
            tiles.append((format_seconds(report.chat_duration.p95), "p95", ""))
        if report.chat_time_to_first_chunk is not None:
            tiles.append((format_seconds(report.chat_time_to_first_chunk.p95), "1st chunk p95", ""))
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

    def rows(self) -> Iterator[Table]:
        """The rows of chat calls, then those of other operations."""
        drawn = self._report.rows[:MAX_ROWS]
        for rows in (
            [row for row in drawn if row.operation == "chat"],
            [row for row in drawn if row.operation != "chat"],
        ):
            if rows:
                yield from self._first_that_fits(rows)

    def _first_that_fits(self, rows: Sequence[ReportRow]) -> Sequence[Table]:
        """One table or one for each part of it, with the names beside or below each other."""
        parts: list[_Part] = ["time", "usage"] if any(_has_usage(row) for row in rows) else ["time"]
        tables: Sequence[Table] = ()
        layouts: tuple[Sequence[Sequence[_Part]], ...] = ([parts], [[part] for part in parts])
        for layout in layouts:
            for is_stacked in (False, True):
                tables = [self._rows(rows, part, is_stacked=is_stacked) for part in layout]
                if all(self._width(table) <= self._console.width - _INDENT for table in tables):
                    return tables
        return tables

    def _width(self, table: Table) -> int:
        return Measurement.get(self._console, self._console.options.update(width=1000), table).maximum

    def _rows(self, rows: Sequence[ReportRow], parts: Sequence[_Part], *, is_stacked: bool) -> Table:
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
            texts = [self._text(label) for label in labels if label is not None or not is_stacked]
            cells = [Text(column.cell(row), style="red" if column.is_alarm(row) else "") for column in columns]
            table.add_row(*([Text("\n  ").join(texts)] if is_stacked else texts), *cells)
        return table

    def notes(self) -> Iterator[Text]:
        """What a reader of the rows has to know."""
        report = self._report
        if len(report.rows) > MAX_ROWS:
            yield Text(f"Not shown: {_plural(len(report.rows) - MAX_ROWS, 'row')} with fewer calls. The JSON has all.")
        if report.unpriced_calls:
            calls = _plural(report.unpriced_calls, "call")
            yield Text(f"?  No price is known for the usage of {calls}: the cost lacks it.")

    def errors(self) -> Iterator[Table]:
        """The errors by kind, and what to do about each."""
        if not self._report.errors:
            return
        table = _table("Errors")
        table.add_column("kind", overflow="fold")
        table.add_column("calls", justify="right", no_wrap=True)
        table.add_column("of all", justify="right", no_wrap=True)
        table.add_column("at fault", no_wrap=True)
        table.add_column("what to do", ratio=1)
        for name, count in _ranked(self._report.errors):
            kind = ERROR_TYPES.get(name)
            table.add_row(
                self._text(name, "red"),
                format_count(count),
                format_ratio(count / self._report.calls),
                _NONE if kind is None else kind.owner,
                _NONE if kind is None else kind.advice,
            )
        yield table

    def side_tables(self) -> Iterator[Table]:
        """The small tables, as many to a line as fit."""
        line: list[Table] = []
        room = self._console.width - _INDENT
        for table in self._small_tables():
            if line and self._width(table) + _GAP > room:
                yield _side_by_side(line)
                line, room = [], self._console.width - _INDENT
            line.append(table)
            room -= self._width(table) + _GAP
        if line:
            yield _side_by_side(line)

    def _small_tables(self) -> Iterator[Table]:
        """The small tables, each only where there is something to show."""
        report = self._report
        if report.calls != report.outcomes["ok"]:
            yield self._counts("How calls ended", {name: n for name, n in report.outcomes.items() if n})
        if report.retries:
            slept = format_seconds(report.retry_delay_seconds)
            yield self._counts(f"Retries, {slept} slept", report.retries)
        if report.attempts_by_status:
            yield self._counts("HTTP attempts", report.attempts_by_status)
        if report.finish_reasons:
            yield self._counts("Finish reasons", report.finish_reasons)
        if report.server_tools:
            yield self._counts("Server tools", report.server_tools)
        if report.rate_limits:
            yield self._rate_limits()
        if report.cache_hit_ratio is not None:
            yield self._cache()

    def _counts(self, title: str, counts: Mapping[str, int]) -> Table:
        total = sum(counts.values())
        table = _table(title, columns=3, numbers=(1, 2))
        for name, count in _ranked(counts):
            table.add_row(self._text(name), format_count(count), format_ratio(count / total if total else None))
        return table

    def _rate_limits(self) -> Table:
        table = _table("Rate limits, what is left", columns=4, numbers=(2, 3))
        for name, limit in self._report.rate_limits.items():
            share = limit.headroom
            style = "green" if share is None or share > 0.3 else "yellow" if share > 0.1 else "red"
            left = f"{format_count(limit.remaining)} of {format_count(limit.limit)}"
            table.add_row(name.replace("_", " "), self._bar(share, style), format_ratio(share), left)
        return table

    def _cache(self) -> Table:
        tokens = self._report.tokens
        cached = tokens.cache_read + tokens.cache_write_5m + tokens.cache_write_1h
        table = _table("Input tokens and the prompt cache", columns=4, numbers=(2, 3))
        for name, count in (
            ("cache reads", tokens.cache_read),
            ("5 min writes", tokens.cache_write_5m),
            ("1 h writes", tokens.cache_write_1h),
            ("not cached", max(tokens.input - cached, 0)),
        ):
            share = count / tokens.input
            table.add_row(name, self._bar(share, "cyan"), format_ratio(share), format_count(count))
        return table

    def _bar(self, share: float | None, style: str) -> Text:
        if share is None:
            return Text(_NONE)
        full, hollow = ("#", ".") if self._console.options.ascii_only else ("\u2588", "\u2591")
        # only what is full looks full
        length = min(max(round(share * _BAR_WIDTH), 0), _BAR_WIDTH if share >= 1 else _BAR_WIDTH - 1)
        return Text.assemble((full * length, style), (hollow * (_BAR_WIDTH - length), "dim"))

    def _text(self, value: str | None, style: str = "") -> Text:
        """A name from outside, with nothing in it that could steer or break the terminal."""
        if value is None:
            return Text(_NONE)
        printable = "".join(char if char.isprintable() else "?" for char in value)
        encoding = self._console.encoding
        return Text(printable.encode(encoding, "replace").decode(encoding), style=style)


def _side_by_side(tables: Sequence[Table]) -> Table:
    grid = Table.grid(padding=(0, _GAP, 0, 0))
    grid.add_row(*tables)
    return grid
