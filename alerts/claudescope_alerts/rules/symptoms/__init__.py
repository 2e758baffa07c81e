"""Alerts on symptoms: errors, latency, cost and tokens, rate limits, streams and answers, telemetry."""

from __future__ import annotations

from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.rules.model import Group
from claudescope_alerts.rules.symptoms import answers, baseline, cost, errors, limits, telemetry
from claudescope_alerts.spec.model import Spec

__all__ = ["symptom_groups"]


def symptom_groups(spec: Spec, selectors: SelectorBuilder) -> list[Group]:
    """All groups of alerts on symptoms."""
    return [
        *errors.groups(spec, selectors),
        *baseline.groups(spec, selectors),
        *(module.group(spec, selectors) for module in (limits, answers, cost)),
        *telemetry.groups(spec, selectors),
    ]
