"""The numbers and words that several formats share."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from claudescope.audit.model import CallSite, Finding, Severity
from claudescope.audit.scan import Outcome

__all__ = ["HANDLED_BY", "SEVERITIES", "calls_with_findings", "level", "plural", "summary_data", "summary_lines"]

HANDLED_BY: Final[Mapping[str, str]] = {
    "specific": "a specific handler",
    "by-caller": "a caller",
    "by-decorator": "a decorator",
    "by-policy": "a policy",
    "bare-or-broad": "a broad handler",
    "swallowed": "a handler that swallows it",
    "unknown": "unknown: no caller seen",
    "none": "nothing",
}
"""`CallSite.handled` in words, the best first."""

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")
"""The severities, the worst first."""


def level(finding: Finding) -> Severity:
    """How loudly a finding is reported: its severity, lowered by one step for medium and to a note for low confidence.

    A warning of medium confidence stays a warning.
    """
    if finding.confidence == "low":
        return "note"
    return "warning" if finding.severity == "error" and finding.confidence == "medium" else finding.severity


def plural(count: int, word: str) -> str:
    """A count with its word, such as `2 files`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def calls_with_findings(outcome: Outcome) -> Iterator[tuple[CallSite, Sequence[Finding]]]:
    """Each call with the findings on its line."""
    places: dict[tuple[str, int], list[Finding]] = defaultdict(list)
    for finding in outcome.report.findings:
        places[finding.path, finding.line].append(finding)
    for call in outcome.report.calls:
        yield call, places.get((call.path, call.line), ())


def summary_data(outcome: Outcome) -> dict[str, Any]:
    """The summary for programs."""
    report = outcome.report
    return {
        "files": report.files,
        "lines": report.lines,
        "calls": len(report.calls),
        "handled": dict(_by_handling(outcome)),
        "via": dict(Counter(call.via for call in report.calls).most_common()),
        "findings": len(report.findings),
        "severities": {each: sum(finding.severity == each for finding in report.findings) for each in SEVERITIES},
        "rules": dict(Counter(finding.rule for finding in report.findings).most_common()),
        "ignored": outcome.ignored,
        "known": outcome.known,
        "unchanged": outcome.unchanged,
    }


def summary_lines(outcome: Outcome) -> list[str]:
    """The summary for readers, one sentence in each line."""
    report = outcome.report
    total = len(report.calls)
    lines = [f"{plural(total, 'call')} to the Claude API in {plural(report.files, 'file')} ({report.lines:,} lines)."]
    if total:
        ratios = [f"{HANDLED_BY.get(how, how)} {count} ({count / total:.0%})" for how, count in _by_handling(outcome)]
        lines.append(f"Errors are handled by: {', '.join(ratios)}.")
    counts = Counter(finding.severity for finding in report.findings)
    parts = [plural(counts[each], each) for each in SEVERITIES if counts[each]]
    lines.append(f"{plural(len(report.findings), 'finding')}{': ' if parts else ''}{', '.join(parts)}.")
    left_out = [
        f"{count} {why}"
        for count, why in (
            (outcome.ignored, "ignored"),
            (outcome.known, "in the baseline"),
            (outcome.unchanged, "on lines that are not new"),
        )
        if count
    ]
    if left_out:
        lines.append(f"Not shown: {', '.join(left_out)}.")
    return lines


def _by_handling(outcome: Outcome) -> list[tuple[str, int]]:
    order = list(HANDLED_BY)
    counts = Counter(call.handled for call in outcome.report.calls)
    return sorted(counts.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order))
