"""Grafana-managed rules, as provisioning files
(https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/).

Recording rules are Grafana-managed too, so only a Prometheus data source is needed. Grafana's recording rules must be
enabled (`[recording_rules]`).
"""  # noqa: D205

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any, Final

from claudescope_alerts.rules.model import Alert, Group, Recording
from claudescope_alerts.spec.burn_rate_tiers import write_minutes
from claudescope_alerts.spec.model import Spec

__all__ = ["provisioning"]

_LONGEST: Final = 1800
"""Time range of an instant query in seconds; the windows are in the queries themselves."""


def provisioning(groups: list[Group], spec: Spec) -> dict[str, Any]:
    """One provisioning file with all groups, in one folder."""
    counts = Counter(rule.name for group in groups for rule in group.rules)
    return {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1,
                "name": f"claudescope-{spec.service.name}-{group.name}",
                "folder": spec.grafana.folder,
                "interval": write_minutes(group.interval or 1),
                "rules": [_rule(rule, _title(rule, single=counts[rule.name] == 1), spec) for rule in group.rules],
            }
            for group in groups
        ],
    }


def _title(rule: Recording | Alert, *, single: bool) -> str:
    """The rule's name, and where several rules have it, their labels: titles are unique, and become `alertname`."""
    if single:
        return rule.name
    distinct = [value for name, value in rule.labels.items() if name != "service"]
    return " ".join([rule.name, *(distinct or [rule.owner] if isinstance(rule, Alert) else distinct)])


def _rule(rule: Recording | Alert, title: str, spec: Spec) -> dict[str, Any]:
    query = {
        "refId": "A",
        "relativeTimeRange": {"from": _LONGEST, "to": 0},
        "datasourceUid": spec.grafana.datasource,
        "model": {"refId": "A", "expr": rule.expr, "instant": True, "range": False},
    }
    common: dict[str, Any] = {
        # Stable, so that provisioning again changes the rules and adds none.
        "uid": "cs-" + hashlib.sha256(f"{spec.service.name}/{title}".encode()).hexdigest()[:32],
        "title": title,
    }
    if isinstance(rule, Recording):
        record = {"metric": rule.name, "from": "A", "targetDatasourceUid": spec.grafana.datasource}
        # A recording rule has no condition, but Grafana refuses a rule without this key.
        return {**common, "condition": "A", "data": [query], "labels": dict(rule.labels), "record": record}
    # The query returns a value only where the alert fires, and no value is negative.
    threshold = {
        "refId": "B",
        "datasourceUid": "__expr__",
        "model": {
            "refId": "B",
            "type": "threshold",
            "expression": "A",
            "conditions": [{"evaluator": {"type": "gt", "params": [-1]}}],
        },
    }
    annotations = {
        name: text.replace("{{ $value ", "{{ $values.A.Value ") for name, text in rule.annotations(spec).items()
    }
    return {
        **common,
        "condition": "B",
        "data": [query, threshold],
        "noDataState": "OK",
        "execErrState": "Error",
        "for": write_minutes(rule.for_),
        "keepFiringFor": write_minutes(rule.keep_firing_for),
        "labels": rule.static_labels(spec),
        "annotations": annotations,
    }
