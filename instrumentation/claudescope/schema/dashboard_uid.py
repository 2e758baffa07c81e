"""The uids of the dashboards, which alerts link to."""

from __future__ import annotations

from typing import Literal

__all__ = ["DashboardName", "dashboard_uid"]

DashboardName = Literal["overview", "errors", "latency", "cost", "limits", "slo", "fleet"]
"""The dashboards that claudescope generates."""

_LONGEST = 40
"""Characters that Grafana allows in a uid."""


def dashboard_uid(name: DashboardName, service: str = "claude") -> str:
    """The uid of a service's dashboard: `claudescope-errors`, or `claudescope-shop-errors` for the service `shop`.

    Args:
        name: Which dashboard.
        service: Name of the service, as in the spec; `claude` by default, which the uid leaves out.
    """
    return f"claudescope-{name}" if service == "claude" else f"claudescope-{service}-{name}"[:_LONGEST]
