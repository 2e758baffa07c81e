"""The tiers of the multi-window, multi-burn-rate alert, as one table.

A *burn rate* of 1 spends the error budget exactly within its period. A *tier* fires when the burn rate is above its
factor over a long window (enough was spent to matter) and over a short one (it is still being spent). The factor
follows from the part of the budget that the long window may spend, as in "Alerting on SLOs" of the SRE workbook
(https://sre.google/workbook/alerting-on-slos/): factor = part x period / long window.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

__all__ = ["LONG_WINDOWS", "TIERS", "WINDOWS", "Severity", "Tier", "TierName", "write_minutes"]

Severity = Literal["page", "ticket"]
TierName = Literal["page-fast", "page-slow", "ticket-fast", "ticket-slow"]


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier. All times in minutes.

    Attributes:
        name: Value of the label `tier`.
        severity: `page` wakes a person, `ticket` waits for business hours.
        budget_ratio: Ratio of the period's budget (0 to 1) that the long window may spend.
        long: The long window: enough of the budget was spent to matter.
        short: The short window: the budget is still being spent.
        for_: How long the condition must last before the alert fires (`for`).
        keep_firing_for: How long the alert fires after the condition ended (`keep_firing_for`).
    """

    name: TierName
    severity: Severity
    budget_ratio: Decimal
    long: int
    short: int
    for_: int
    keep_firing_for: int

    def factor(self, period_days: int) -> Decimal:
        """The burn rate above which the tier fires, for a period in days: 14.4, 6, 3 and 1 for 30 days."""
        return (self.budget_ratio * period_days * 1440 / self.long).quantize(Decimal("0.0001")).normalize()


TIERS: Final[dict[TierName, Tier]] = {
    tier.name: tier
    for tier in (
        Tier("page-fast", "page", Decimal("0.02"), long=60, short=5, for_=2, keep_firing_for=5),
        Tier("page-slow", "page", Decimal("0.05"), long=360, short=30, for_=15, keep_firing_for=10),
        Tier("ticket-fast", "ticket", Decimal("0.10"), long=1440, short=120, for_=60, keep_firing_for=30),
        Tier("ticket-slow", "ticket", Decimal("0.10"), long=4320, short=360, for_=180, keep_firing_for=60),
    )
}
"""The four tiers by name."""

WINDOWS: Final = tuple(sorted({window for tier in TIERS.values() for window in (tier.long, tier.short)}))
"""Every window that a tier needs, in minutes, shortest first."""

LONG_WINDOWS: Final = tuple(sorted({tier.long for tier in TIERS.values()}))
"""The long windows of the tiers, in minutes, shortest first."""


def write_minutes(minutes: int) -> str:
    """Write minutes as Prometheus does, in the largest unit that divides them: `"5m"`, `"6h"`, `"3d"`."""
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes and minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"
