"""The boards, one module each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from claudescope.boards import BoardName
from claudescope_dashboards.boards.cost import cost
from claudescope_dashboards.boards.errors import errors
from claudescope_dashboards.boards.fleet import fleet
from claudescope_dashboards.boards.latency import latency
from claudescope_dashboards.boards.limits import limits
from claudescope_dashboards.boards.overview import overview
from claudescope_dashboards.boards.slo import slo
from claudescope_dashboards.queries import Queries

__all__ = ["BOARDS"]

BOARDS: Final[Mapping[BoardName, Callable[[Queries], dict[str, Any]]]] = {
    "overview": overview,
    "errors": errors,
    "latency": latency,
    "cost": cost,
    "limits": limits,
    "slo": slo,
    "fleet": fleet,
}
"""Makes each board."""
