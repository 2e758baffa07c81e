"""Keeps the rate limits that were seen last."""

from __future__ import annotations

from collections.abc import Mapping

from claudescope.schema.record import RateLimit, RateLimitType

__all__ = ["Limits", "newer"]

Limits = Mapping[RateLimitType, RateLimit]


def newer(known: Limits | None, seen: Limits) -> Limits:
    """What is known once `seen` has been: of each type what was seen last.

    Does not look at the limits themselves where `seen` has all the types: they may not have been read yet.
    """
    if known is None or getattr(known, "types", known) == getattr(seen, "types", seen):
        return seen
    return {**known, **seen}
