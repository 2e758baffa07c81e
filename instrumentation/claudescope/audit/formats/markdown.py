"""The result as Markdown, for the summary of a CI job or a comment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from claudescope.audit.formats.summary import HANDLED_BY, calls_with_findings, summary_lines
from claudescope.audit.scan import Outcome

__all__ = ["as_markdown"]

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|#~])")


def as_markdown(outcome: Outcome) -> str:
    """Return the summary, the findings, and the inventory of calls."""
    report = outcome.report
    parts = ["## Audit of calls to the Claude API", "\n".join(f"- {line}" for line in summary_lines(outcome))]
    if report.findings:
        rows = (
            [_code(f"{each.path}:{each.line}"), each.severity, each.confidence, _code(each.rule), _text(each.message)]
            for each in report.findings
        )
        parts += ["### Findings", _table(["place", "severity", "confidence", "rule", "what and how to fix"], rows)]
    if report.calls:
        calls = (
            [
                _code(f"{call.path}:{call.line}"),
                _code(call.call),
                _text(call.via),
                _text(HANDLED_BY.get(call.handled, call.handled)),
                ", ".join(_code(finding.rule) for finding in findings),
            ]
            for call, findings in calls_with_findings(outcome)
        )
        parts += ["### Calls", _table(["place", "call", "via", "errors are handled by", "findings"], calls)]
    return "\n\n".join(parts) + "\n"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(_rows([heads, ["---"] * len(heads), *rows]))


def _rows(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _text(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    # A pipe ends a cell in code too. A backtick can't be escaped inside of code.
    plain = " ".join(text.split())
    return _text(plain) if "`" in plain else f"`{plain.replace('|', chr(92) + '|')}`"
