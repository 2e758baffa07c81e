"""The dashboards, one module each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from claudescope.schema.dashboard_uid import DashboardName
from claudescope_dashboards.dashboards.cost import cost
from claudescope_dashboards.dashboards.errors import errors
from claudescope_dashboards.dashboards.fleet import fleet
from claudescope_dashboards.dashboards.latency import latency
from claudescope_dashboards.dashboards.limits import limits
from claudescope_dashboards.dashboards.overview import overview
from claudescope_dashboards.dashboards.slo import slo
from claudescope_dashboards.queries import Queries

__all__ = ["DASHBOARDS"]

DASHBOARDS: Final[Mapping[DashboardName, Callable[[Queries], dict[str, Any]]]] = {
    "overview": overview,
    "errors": errors,
    "latency": latency,
    "cost": cost,
    "limits": limits,
    "slo": slo,
    "fleet": fleet,
}
"""Function that builds the dashboard, by name."""
