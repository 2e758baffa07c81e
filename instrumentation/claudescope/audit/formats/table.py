"""The result as tables for a terminal: the inventory of calls, the findings, the summary."""

from __future__ import annotations

import io
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from claudescope.audit.formats.summary import HANDLED_BY, calls_with_findings, summary_lines
from claudescope.audit.scan import Outcome

__all__ = ["as_table"]

_STYLES: Final = {"error": "bold red", "warning": "yellow", "note": "cyan"}
_HANDLED_STYLES: Final = {"none": "bold red", "swallowed": "red", "bare-or-broad": "yellow", "unknown": "dim"}


def as_table(outcome: Outcome, console: Console | None = None) -> str:
    """Return the tables as text.

    Args:
        outcome: The result.
        console: Whose width and colours to use. By default none: plain text of 120 columns.
    """
    plain = console or Console(file=io.StringIO(), width=120, color_system=None, force_terminal=False)
    with plain.capture() as captured:
        if outcome.report.calls:
            plain.print(_inventory(outcome))
        for finding in outcome.report.findings:
            doubt = "" if finding.confidence == "high" else f" ({finding.confidence} confidence)"
            plain.print(
                Text.assemble(
                    (f"{finding.path}:{finding.line}", "bold"),
                    "  ",
                    (finding.severity, _STYLES[finding.severity]),
                    f"  {finding.rule}{doubt}\n    {finding.message}",
                ),
                soft_wrap=True,
            )
        for line in summary_lines(outcome):
            plain.print(Text(line), soft_wrap=True)
    return captured.get()


def _inventory(outcome: Outcome) -> Table:
    shown = Table(title="Calls to the Claude API", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for head in ("call site", "call", "via", "errors handled by", "findings"):
        shown.add_column(head, overflow="fold")
    for call, findings in calls_with_findings(outcome):
        found = Text("\n").join(Text(finding.rule, _STYLES[finding.severity]) for finding in findings)
        shown.add_row(
            Text(f"{call.path}:{call.line}"),
            Text(call.call),
            Text(call.via),
            Text(HANDLED_BY.get(call.handled, call.handled), _HANDLED_STYLES.get(call.handled, "green")),
            found,
        )
    return shown
