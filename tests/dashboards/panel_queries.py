"""Runs every query of every panel, with the variables replaced as Grafana does."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from claudescope_dashboards.interpolation import Resolver
from claudescope_dashboards.lint import panels_of
from tests.dashboards.api import Store, numbers

__all__ = ["empty_panels", "seconds_of"]


def seconds_of(dashboard: Mapping[str, Any]) -> int:
    """Return the length of a dashboard's default time range in seconds."""
    hours = re.fullmatch(r"now-(\d+)h", dashboard["time"]["from"])
    assert hours is not None
    return int(hours[1]) * 3600


def _ask(store: Store, target: Mapping[str, Any], resolver: Resolver, now: int) -> list[float]:
    expr = resolver.resolve(target["expr"])
    if target.get("instant"):
        return numbers(store.instant(expr, now))
    return numbers(store.range(expr, now - resolver.seconds, now, resolver.step))


def empty_panels(
    store: Store,
    dashboards: Mapping[str, Mapping[str, Any]],
    chosen: Mapping[str, list[str]] = MappingProxyType({}),
    *,
    scrape: int,
    seconds: int | None = None,
) -> tuple[int, list[str]]:
    """Run all queries of dashboards.

    Args:
        store: The server to query.
        dashboards: Dashboards by name.
        chosen: Selected values by variable. Variables that are missing here are All.
        scrape: Scrape interval in seconds.
        seconds: Length of the time range. By default that of the dashboard.

    Returns:
        The number of queries, and those without a result as `dashboard: panel: reference`.
    """
    asked, empty, now = 0, list[str](), math.ceil(time.time())
    for name, dashboard in dashboards.items():
        resolver = Resolver(seconds=seconds or seconds_of(dashboard), scrape=scrape, chosen=chosen)
        targets = [(panel["title"], target) for panel in panels_of(dashboard) for target in panel["targets"]]
        targets += [("annotation", note) for note in dashboard["annotations"]["list"] if "expr" in note]
        for title, target in targets:
            place = f"{name}: {title}: {target.get('refId', target.get('name'))}"
            asked += 1
            try:
                found = _ask(store, target, resolver, now)
            except AssertionError as refused:
                raise AssertionError(f"{place}: {refused}\n{resolver.resolve(target['expr'])}") from None
            if not found:
                empty.append(place)
    return asked, empty
