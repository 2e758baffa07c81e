"""What a rule is called, how much it matters, and how it is explained."""

from __future__ import annotations

from dataclasses import dataclass

from claudescope.audit.model import Severity

__all__ = ["Rule"]


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
