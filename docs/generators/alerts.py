"""The page of alerts and recorded series, from the default spec."""

from __future__ import annotations

from collections.abc import Iterable

from claudescope.schema.recorded_series import RECORDED_SERIES
from claudescope_alerts.build import groups_of
from claudescope_alerts.rules.model import Alert
from claudescope_alerts.spec.model import load_spec
from generators.markdown import code, page, table

__all__ = ["alerts"]


def alerts() -> str:
    """Every alert of the default spec, and every series that rules record."""
    by_name: dict[str, list[Alert]] = {}
    for group in groups_of(load_spec()):
        for alert in group.alerts:
            by_name.setdefault(alert.name, []).append(alert)
    return page(
        "Alerts",
        "The alerts of the default spec. Each name links to its runbook.",
        table(
            ["alert", "severity", "owner", "tiers", "fires after"],
            (
                [
                    f"[{name}](../runbooks.md#{name.lower()})",
                    _distinct(alert.severity or "none" for alert in same),
                    _distinct(alert.owner for alert in same),
                    _distinct(alert.labels.get("tier", "") for alert in same),
                    _distinct(f"{alert.for_} min" if alert.for_ else "at once" for alert in same),
                ]
                for name, same in by_name.items()
            ),
        ),
        "## Recorded series",
        table(
            ["series", "description", "labels"],
            ([f"`{series.name}`", series.description, code(series.labels)] for series in RECORDED_SERIES),
        ),
    )


def _distinct(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(value for value in values if value))
