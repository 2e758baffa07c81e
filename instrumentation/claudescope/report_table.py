"""Draws a report for a terminal: a headline, the rows, and what explains them.

Every name is drawn as literal text, whatever it contains: a workflow called `[red]` is neither markup nor colour.
Nothing is told by colour alone, and where the terminal has ASCII only, so has the drawing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING, Literal

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table, box
from rich.text import Text

from claudescope.errors import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from claudescope.report import Percentiles, RateLimitHeadroom, Report, ReportRow

__all__ = ["MAX_ROWS", "format_count", "format_seconds", "format_share", "format_usd", "print_report"]

MAX_ROWS = 20
"""How many rows are drawn. All of them are in the JSON."""

_NONE = "-"
_BAR_WIDTH = 20
_EMPTY = (
    "claudescope: no call to the Claude API has ended yet. Check that the app was instrumented before it made its "
    "first call, and that it calls through the anthropic package."
)
# Money is rounded the same whatever context the app has set.
_MONEY = Context(prec=50, rounding=ROUND_HALF_EVEN, traps=[])

_Part = Literal["both", "time", "usage"]


def format_seconds(seconds: float | None) -> str:
    """A time as a person says it: `8.4 ms`, `845 ms`, `8.21 s`, `82.1 s`, `2m 12s`, `1h 4m`; `-` for None."""
    if seconds is None:
        return _NONE
    if seconds < 0.00995:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
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
    """Money: cents from a dollar up, below that two significant digits and at least cents: `$0.25`, `$0.00042`."""
    digits = 2 if not usd or abs(usd) >= 1 else max(2, 1 - usd.adjusted())
    return f"${usd.quantize(Decimal(1).scaleb(-digits, _MONEY), context=_MONEY):,f}"


def format_share(share: float | None) -> str:
    """A share as a percentage, never rounded to a 0 % or a 100 % that it is not; `-` for None."""
    if share is None:
        return _NONE
    if 0 < share < 0.001:
        return "<0.1%"
    if 0.999 < share < 1:
        return ">99.9%"
    return f"{share:.0%}" if share in {0, 1} else f"{share:.1%}"


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
    for table in drawing.rows():
        console.print(Padding(table, _INSET))
    for note in drawing.notes():
        console.print(Padding(Text(note, style="dim"), (0, 0, 0, 1)))
    if report.errors:
        console.print(Padding(drawing.errors(), _INSET))
    console.print(Padding(Columns(drawing.side_tables(), padding=(1, 4)), _INSET))


@dataclass(frozen=True, slots=True)
class _Column:
    """A number of the table of rows, and the parts of the table that show it where it does not fit in one."""

    header: str
    parts: tuple[_Part, ...]
    cell: Callable[[ReportRow], str]


def _cost(row: ReportRow) -> str:
    if not row.unpriced_calls:
        return format_usd(row.cost_usd)
    return f"{format_usd(row.cost_usd)} + ?" if row.cost_usd else "?"


def _first_chunk(row: ReportRow) -> str:
    return format_seconds(row.time_to_first_chunk.p95 if row.time_to_first_chunk else None)


_COLUMNS = (
    _Column("calls", ("time", "usage"), lambda row: format_count(row.calls)),
    _Column("errors", ("time",), lambda row: format_share(row.errors / row.calls)),
    _Column("p50", ("time",), lambda row: format_seconds(row.duration.p50)),
    _Column("p95", ("time",), lambda row: format_seconds(row.duration.p95)),
    _Column("p99", ("time",), lambda row: format_seconds(row.duration.p99)),
    _Column("first\nchunk p95", ("time",), _first_chunk),
    _Column("input\ntokens", ("usage",), lambda row: format_count(row.tokens.input)),
    _Column("output\ntokens", ("usage",), lambda row: format_count(row.tokens.output)),
    _Column("input\ncached", ("usage",), lambda row: format_share(row.cache_hit_share)),
    _Column("cost", ("usage",), _cost),
)


class _Drawing:
    """The parts of one report on one console."""

    def __init__(self, report: Report, console: Console) -> None:
        self._report = report
        self._console = console
        self._full, self._hollow = ("#", ".") if console.options.ascii_only else ("\u2588", "\u2591")

    def headline(self) -> RenderableType:
        """The numbers that a glance should find."""
        report = self._report
        errors = report.outcomes["error"]
        tiles = [
            (format_count(report.calls), "calls", ""),
            (format_share(report.error_share), "errors", "red" if errors else "green"),
            (_total_cost(report), "cost", ""),
        ]
        if report.chat_duration is not None:
            tiles.append((format_seconds(report.chat_duration.p95), "p95", ""))
        if report.chat_time_to_first_chunk is not None:
            tiles.append((format_seconds(report.chat_time_to_first_chunk.p95), "first chunk p95", ""))
        if report.cache_hit_share is not None:
            tiles.append((format_share(report.cache_hit_share), "input cached", ""))
        tiles.append((format_count(sum(report.retries.values())), "retries", ""))
        grid = Table.grid(padding=(0, 2), expand=True)
        for _ in tiles:
            grid.add_column(justify="center")
        grid.add_row(*(Text(value, style=f"bold {style}") for value, _, style in tiles))
        grid.add_row(*(Text(label, style="dim") for _, label, _ in tiles))
        span = format_seconds((report.ended_at - report.started_at).total_seconds())
        return Panel(
            grid,
            title=Text("claudescope", style="bold"),
            title_align="left",
            subtitle=Text(f"{report.started_at:%Y-%m-%d %H:%M:%S} UTC, {span}", style="dim"),
            subtitle_align="right",
            border_style="dim",
        )

    def rows(self) -> Sequence[Table]:
        """The rows in one table, in two where one is too wide: times, then tokens and cost."""
        tables: list[Table] = []
        for parts, is_stacked in _LAYOUTS:
            tables = [self._rows(part, is_stacked) for part in parts]
            if all(self._fits(table) for table in tables):
                break
        return tables

    def _fits(self, table: Table) -> bool:
        return Measurement.get(self._console, self._console.options, table).maximum < self._console.width

    def _rows(self, part: _Part | None, is_stacked: bool) -> Table:
        rows = self._report.rows[:MAX_ROWS]
        columns = [column for column in _COLUMNS if part is None or part in column.parts]
        names = _name_columns(rows)
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", border_style="dim")
        for header in ["\n".join(names)] if is_stacked else names:
            table.add_column(header, overflow="fold", vertical="bottom")
        for column in columns:
            table.add_column(column.header, justify="right", no_wrap=True, vertical="bottom")
        for row in rows:
            named = [self._text(value) for value in (getattr(row, name) for name in names)]
            cells = [Text("\n").join(named)] if is_stacked else named
            table.add_row(*cells, *(_cell(column.cell(row), column.header) for column in columns))
        return table
