"""The boards' identities: alerts link to boards, and boards are built, by this one table."""

from __future__ import annotations

from typing import Literal

__all__ = ["DashboardName", "dashboard_uid"]

DashboardName = Literal["overview", "errors", "latency", "cost", "limits", "slo", "fleet"]
"""The boards that claudescope generates."""

_LONGEST = 40
"""Characters that Grafana allows in a uid."""


def dashboard_uid(name: DashboardName, service: str = "claude") -> str:
    """The uid of a service's board: `claudescope-errors`, and with the service's name in it for any but the default.

    Args:
        name: Which board.
        service: Name of the service, as in the spec.
    """
    return f"claudescope-{name}" if service == "claude" else f"claudescope-{service}-{name}"[:_LONGEST]
