"""When a kind of failure alerts, and how loudly: a table of tiers. The classification says which kind is in which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from claudescope.schema.error_types import ERROR_TYPES, ErrorType

__all__ = ["ALERTS", "Alert", "Tier"]

Severity = Literal["critical", "error", "warning", "info"]
"""What PagerDuty takes."""


@dataclass(frozen=True, slots=True)
class Tier:
    """How much of a kind is too much.

    A client with claudescope sends at most 10 events of a kind at once and 6 per minute after that, so that what a
    tier asks for must be below what one process sends in its interval, or an outage of one process would be silent.

    Attributes:
        name: For people.
        at_first_sight: Whether the first event of the issue, or the first after it was resolved, alerts.
        more_than: Events of the issue within `interval` that are not yet too many.
        interval: As Sentry writes it: `5m` or `1h`.
        severity: PagerDuty's.
        every_minutes: How often it may alert again, in minutes; one of the values that Sentry takes.
    """

    name: str
    at_first_sight: bool
    more_than: int
    interval: Literal["5m", "15m", "1h"]
    severity: Severity
    every_minutes: Literal[5, 10, 30, 60, 180, 720, 1440]


_DOWN: Final = Tier("down", True, 1, "5m", "critical", 30)
_BLOCKED: Final = Tier("blocked", True, 5, "15m", "error", 60)
_STORM: Final = Tier("storm", False, 20, "5m", "warning", 60)
_CALLER: Final = Tier("caller", False, 30, "1h", "info", 1440)


@dataclass(frozen=True, slots=True)
class Alert:
    """The alert of one kind.

    Attributes:
        error_type: The kind.
        tier: When, and how loudly.
    """

    error_type: ErrorType
    tier: Tier

    @property
    def name(self) -> str:
        """Its name in Sentry."""
        return f"Claude API: {self.error_type.name}"


def _tier(kind: ErrorType) -> Tier:
    if kind.pages:
        return _DOWN
    if not kind.in_budget:
        return _CALLER
    # What may go away by itself is only a matter of how much; what does not blocks some of the calls for good.
    return _BLOCKED if kind.retry == "never" else _STORM


ALERTS: Final = tuple(Alert(kind, _tier(kind)) for kind in ERROR_TYPES.values())
"""The alert of every kind, in the order of the documentation."""
