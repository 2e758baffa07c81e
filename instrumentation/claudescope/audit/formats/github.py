"""The result as workflow commands, which GitHub Actions shows as annotations of the changed files."""

from __future__ import annotations

from typing import Final

from claudescope.audit.formats.summary import SEVERITIES, level, summary_lines
from claudescope.audit.scan import Outcome

__all__ = ["as_github"]

_COMMANDS: Final = {"error": "error", "warning": "warning", "note": "notice"}


def as_github(outcome: Outcome) -> str:
    """Return one command for each finding, the worst first: GitHub shows ten of each level for a step."""
    ordered = sorted(outcome.report.findings, key=lambda finding: SEVERITIES.index(level(finding)))
    commands = [
        f"::{_COMMANDS[level(finding)]} file={_property(finding.path)},line={max(finding.line, 1)},"
        f"title={_property(f'claudescope: {finding.rule}')}::{_data(finding.message)}"
        for finding in ordered
    ]
    return "\n".join([*commands, *summary_lines(outcome), ""])


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
