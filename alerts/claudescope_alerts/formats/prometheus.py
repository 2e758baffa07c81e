"""Prometheus rule files (https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/).

VictoriaMetrics' vmalert reads the same files.
"""

from __future__ import annotations

from typing import Any

from claudescope_alerts.rules.model import Group, Recording
from claudescope_alerts.spec.burn_rate_tiers import write_minutes
from claudescope_alerts.spec.model import Spec

__all__ = ["rule_group"]


def rule_group(group: Group, spec: Spec) -> dict[str, Any]:
    """A group as Prometheus, Mimir and the Prometheus operator read it."""
    rules: list[dict[str, Any]] = []
    for rule in group.rules:
        if isinstance(rule, Recording):
            rules.append({"record": rule.name, "expr": rule.expr, "labels": dict(rule.labels)})
            continue
        document: dict[str, Any] = {"alert": rule.name, "expr": rule.expr}
        if rule.for_:
            document["for"] = write_minutes(rule.for_)
        if rule.keep_firing_for:
            document["keep_firing_for"] = write_minutes(rule.keep_firing_for)
        document["labels"] = rule.static_labels(spec)
        document["annotations"] = rule.annotations(spec)
        rules.append(document)
    # Without an interval the server uses its own, which suits rules with windows of five minutes and more.
    interval = {} if group.interval is None else {"interval": write_minutes(group.interval)}
    return {"name": f"claudescope-{spec.service.name}-{group.name}", **interval, "rules": rules}
