"""What an audit takes and returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["CallSite", "Confidence", "Finding", "Report", "Severity", "SourceFile"]

Severity: TypeAlias = Literal["error", "warning", "note"]
Confidence: TypeAlias = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class CallSite:
    """One call to the Claude API.

    Attributes:
        path: The file, relative to the root of the scan.
        line: Line of the call expression, from 1.
        call: The call as a reader knows it, such as `messages.create`.
        via: The library that makes the call, such as `sdk-async` or `langchain`.
        handled: How its errors are handled: `none`, `bare-or-broad`, `swallowed`, `specific`, `by-caller`,
            `by-decorator`, `by-policy`, or `unknown` if the function has no caller in the tree.
    """

    path: str
    line: int
    call: str
    via: str
    handled: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One place that breaks a rule.

    Attributes:
        path: The file, relative to the root of the scan.
        line: Line that the finding is about, from 1.
        rule: A key of `rules.RULES`.
        severity: How much it matters if it is right.
        confidence: How sure the scan is.
        message: What is wrong and how to mend it, in one or two sentences.
    """

    path: str
    line: int
    rule: str
    severity: Severity
    confidence: Confidence
    message: str


@dataclass(frozen=True, slots=True)
class SourceFile:
    """Python source to scan.

    Attributes:
        path: The file, relative to the root of the scan, with `/` between its parts.
        text: Its source.
        line_map: For a notebook: the line of the `.ipynb` file that each line of `text` stands on.
    """

    path: str
    text: str
    line_map: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an audit, sorted by path and line."""

    calls: tuple[CallSite, ...]
    findings: tuple[Finding, ...]
    files: int
    lines: int
