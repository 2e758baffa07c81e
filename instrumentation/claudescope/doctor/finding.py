"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Level", "error", "ok", "warning"]

Level = Literal["ok", "warning", "error"]
"""`ok`: nothing to do. `warning`: works, but may not be what you want. `error`: must be fixed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        check: Short name of the check, such as `sdk` or `exporter.metrics`.
        level: `ok`, `warning` or `error`.
        message: What was found, and why it matters.
        fix: The exact step that fixes it; empty where there is nothing to do.
    """

    check: str
    level: Level
    message: str
    fix: str = ""


def ok(check: str, message: str) -> Finding:
    """Make a finding without a problem."""
    return Finding(check, "ok", message)


def warning(check: str, message: str, fix: str = "") -> Finding:
    """Make a finding that works, but may not be what you want."""
    return Finding(check, "warning", message, fix)


def error(check: str, message: str, fix: str) -> Finding:
    """Make a finding that must be fixed."""
    return Finding(check, "error", message, fix)
