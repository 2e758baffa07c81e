"""When an error type alerts, and with which severity: a table of tiers. The table of error types decides the tier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from claudescope.schema.error_types import ERROR_TYPES, ErrorType

__all__ = ["ALERTS", "Alert", "Tier"]

Severity = Literal["critical", "error", "warning", "info"]
"""PagerDuty's severities."""


@dataclass(frozen=True, slots=True)
class Tier:
    """The threshold and severity of an alert.

    A client with claudescope sends at most 10 events of an error type at once and 6 per minute after that. A threshold
    must be below what one process sends in the interval, or an outage of a single process would not alert.

    Attributes:
        name: The name of the tier.
        at_first_sight: Whether the first event of the issue, or the first after it was resolved, alerts.
        more_than: The alert fires above this many events of the issue within `interval`.
        interval: The interval, in Sentry's notation.
        severity: The severity in PagerDuty.
        every_minutes: Minutes before the alert may fire again; one of the values that Sentry allows.
    """

    name: str
    at_first_sight: bool
    more_than: int
    interval: Literal["5m", "15m", "1h"]
    severity: Severity
    every_minutes: Literal[5, 10, 30, 60, 180, 720, 1440]


_DOWN: Final = Tier("down", True, 1, "5m", "critical", 30)
_BLOCKED: Final = Tier("blocked", True, 5, "15m", "error", 60)
_BURST: Final = Tier("burst", False, 20, "5m", "warning", 60)
_CALLER: Final = Tier("caller", False, 30, "1h", "info", 1440)


@dataclass(frozen=True, slots=True)
class Alert:
    """The alert of one error type.

    Attributes:
        error_type: The error type.
        tier: Threshold and severity.
        at_first_sight: Whether it fires at the first event, or at the number of events. Sentry has a trigger for the
            first, and a filter for the second, which holds for all triggers of an alert: each is an alert of its own.
    """

    error_type: ErrorType
    tier: Tier
    at_first_sight: bool

    @property
    def key(self) -> str:
        """Its name in Terraform."""
        return f"claude_{self.error_type.name}{'_first' if self.at_first_sight else ''}"

    @property
    def name(self) -> str:
        """Its name in Sentry."""
        return f"Claude API: {self.error_type.name}{', first event' if self.at_first_sight else ''}"


def _tier(error_type: ErrorType) -> Tier:
    if error_type.pages:
        return _DOWN
    if not error_type.in_budget:
        return _CALLER
    # An error that no retry resolves blocks calls until somebody fixes it. For others only the rate matters.
    return _BLOCKED if error_type.retry == "never" else _BURST


ALERTS: Final = tuple(
    Alert(each, _tier(each), at_first_sight)
    for each in ERROR_TYPES.values()
    for at_first_sight in ((True, False) if _tier(each).at_first_sight else (False,))
)
"""The alerts of every error type, in the order of the table."""
