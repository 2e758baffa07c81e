"""Route tests: the receiver of every alert. `claudescope alerts test` runs them with amtool."""

from __future__ import annotations

from typing import TypedDict

from claudescope_alerts.routing.alertmanager import DEADMAN, LOCAL, PAGE, TICKET
from claudescope_alerts.rules.model import Alert, Group
from claudescope_alerts.spec.model import Spec

__all__ = ["RouteTest", "route_tests"]


class RouteTest(TypedDict):
    """Labels of an alert, and its receiver."""

    labels: dict[str, str]
    receiver: str


def route_tests(groups: list[Group], spec: Spec) -> dict[str, list[RouteTest]]:
    """One test for every alert, and one for an alert that claudescope does not define."""
    tests: list[RouteTest] = [
        {
            "labels": {"alertname": alert.name, **alert.static_labels(spec)},
            "receiver": _receiver(alert, spec),
        }
        for group in groups
        for alert in group.alerts
    ]
    return {"tests": [*tests, {"labels": {"alertname": "AlertOfAnotherTool"}, "receiver": TICKET}]}


def _receiver(alert: Alert, spec: Spec) -> str:
    """The receiver of an alert, computed independently of the routes."""
    if alert.severity is None:
        return DEADMAN
    if alert.severity == "ticket":
        return TICKET
    return LOCAL if alert.owner == "local" and spec.routing.local is not None else PAGE
