"""The id of the consumer's request that this code handles. `claudescope.web` sets it; sinks read it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

__all__ = ["CURRENT"]

CURRENT: Final[ContextVar[str | None]] = ContextVar("claudescope_correlation_id", default=None)
"""The id; None outside of a request."""
