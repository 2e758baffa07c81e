"""Merges the rate limits of responses."""

from __future__ import annotations

from collections.abc import Mapping

from claudescope.schema.record import RateLimit, RateLimitType

__all__ = ["Limits", "newer"]

Limits = Mapping[RateLimitType, RateLimit]


def newer(known: Limits | None, seen: Limits) -> Limits:
    """Merge the limits of a response into those known before: of each type, the last one counts.

    Where `seen` has all types, the limits are not read, as parsing them costs time.
    """
    if known is None or getattr(known, "types", known) == getattr(seen, "types", seen):
        return seen
    return {**known, **seen}
