"""What a look finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Level", "note", "ok", "wrong"]

Level = Literal["ok", "note", "wrong"]
"""Fine; fine, and worth knowing; to be mended."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: What was looked at, a short name such as `sdk` or `exporter.metrics`.
        level: Whether it is as it should be.
        message: What was found.
        fix: The exact step that mends it, or that changes what is noted; empty where there is nothing to do.
    """

    check: str
    level: Level
    message: str
    fix: str = ""


def ok(check: str, message: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", message)


def note(check: str, message: str, fix: str = "") -> Finding:
    """Nothing is wrong, and somebody may want it otherwise."""
    return Finding(check, "note", message, fix)


def wrong(check: str, message: str, fix: str) -> Finding:
    """Something is wrong, and this mends it."""
    return Finding(check, "wrong", message, fix)
