"""What a rule is called, how much it matters, how it is explained, and what it reports."""

from __future__ import annotations

from dataclasses import dataclass

from claudescope.audit.model import Confidence, Severity

__all__ = ["Hit", "Rule"]


@dataclass(frozen=True, slots=True)
class Rule:
    """The explanation of one rule, from which its page is made.

    Attributes:
        name: What findings, ignore comments and settings call it.
        severity: How much a finding matters.
        summary: One sentence that says what the rule finds.
        why: What goes wrong in production if nobody mends it.
        bad: Source that the rule finds fault with.
        good: The same source, mended.
    """

    name: str
    severity: Severity
    summary: str
    why: str
    bad: str
    good: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a rule is broken, in the lines of the parsed source."""

    rule: str
    line: int
    confidence: Confidence
    message: str
