"""Durations as people write them."""

from __future__ import annotations

import math
import re
from typing import Final

__all__ = ["format_duration", "parse_duration"]

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION: Final = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|[smhdw]))+")
_DURATION_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|[smhdw])")


def parse_duration(text: str) -> float:
    """Read a duration such as `"250ms"`, `"20s"`, `"5m"`, `"1h30m"`, `"3d"` or `"2w"`.

    Returns:
        The duration in seconds.

    Raises:
        ValueError: The text is not a duration, or a part of it has no unit.
    """
    compact = text.strip()
    if not _DURATION.fullmatch(compact):
        raise ValueError("expected a duration such as '250ms', '20s', '5m' or '1h30m'")
    seconds = sum(float(amount) * _UNITS[unit] for amount, unit in _DURATION_PART.findall(compact))
    if not math.isfinite(seconds):
        raise ValueError("expected a duration that is not infinite")
    return seconds


def format_duration(seconds: float) -> str:
    """Format a duration in seconds in the largest unit that divides it, such as `"20s"` or `"250ms"`."""
    for unit in ("w", "d", "h", "m", "s"):
        if seconds >= _UNITS[unit] and not seconds % _UNITS[unit]:
            return f"{seconds / _UNITS[unit]:g}{unit}"
    return f"{seconds * 1000:g}ms"
