"""Alerts on symptoms, by what they watch: errors, latency, cost and tokens, limits, streams and answers, telemetry."""

from __future__ import annotations

from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.rules.model import Group
from claudescope_alerts.rules.symptoms import answers, baseline, cost, errors, limits, telemetry
from claudescope_alerts.spec.model import Spec

__all__ = ["symptom_groups"]


def symptom_groups(spec: Spec) -> list[Group]:
    """All groups of alerts on symptoms."""
    names = SelectorBuilder(spec)
    return [
        *errors.groups(spec, names),
        *baseline.groups(spec, names),
        *(module.group(spec, names) for module in (limits, answers, cost)),
        *telemetry.groups(spec, names),
    ]
