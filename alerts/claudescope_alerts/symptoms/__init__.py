"""Alerts on symptoms, by what they watch: errors, latency, cost and tokens, limits, streams and answers, telemetry."""

from __future__ import annotations

from claudescope_alerts.promql import Names
from claudescope_alerts.rules import Group
from claudescope_alerts.spec import Spec
from claudescope_alerts.symptoms import answers, baseline, cost, errors, limits, telemetry

__all__ = ["symptom_groups"]


def symptom_groups(spec: Spec) -> list[Group]:
    """All groups of alerts on symptoms."""
    names = Names(spec)
    return [
        *errors.groups(spec, names),
        *baseline.groups(spec, names),
        *(module.group(spec, names) for module in (limits, answers, cost)),
        *telemetry.groups(spec, names),
    ]
