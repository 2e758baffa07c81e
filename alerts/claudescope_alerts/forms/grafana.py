"""Grafana-managed rules, as files that Grafana provisions
(https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/).

Recording rules are Grafana-managed too, so that nothing but a Prometheus data source is needed.
"""  # noqa: D205

from __future__ import annotations

import hashlib
from typing import Any, Final

from claudescope_alerts.rules import Alert, Group, Recording
from claudescope_alerts.spec import Spec
from claudescope_alerts.windows import write_minutes

__all__ = ["DATASOURCE", "provisioning"]

DATASOURCE: Final = "prometheus"
"""Uid of the data source that is asked and written to."""

_LONGEST: Final = 1800
"""Seconds of range that an instant query is given; the windows are in the queries themselves."""


def provisioning(groups: list[Group], spec: Spec) -> dict[str, Any]:
    """One provisioning file with all groups, in one folder."""
    return {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1,
                "name": f"claudescope-{spec.service.name}-{group.name}",
                "folder": "claudescope",
                "interval": "1m",
                "rules": [_rule(rule, group, spec, place) for place, rule in enumerate(group.rules)],
            }
            for group in groups
        ],
    }


def _rule(rule: Recording | Alert, group: Group, spec: Spec, place: int) -> dict[str, Any]:
    identity = f"{spec.service.name}/{group.name}/{place}/{rule.name}"
    query = {
        "refId": "A",
        "relativeTimeRange": {"from": _LONGEST, "to": 0},
        "datasourceUid": DATASOURCE,
        "model": {"refId": "A", "expr": rule.expr, "instant": True, "range": False},
    }
    common: dict[str, Any] = {
        # Stable, so that provisioning again changes rules and does not double them.
        "uid": "cs-" + hashlib.sha256(identity.encode()).hexdigest()[:32],
        "title": f"{rule.name} {place}",
    }
    if isinstance(rule, Recording):
        record = {"metric": rule.name, "from": "A", "targetDatasourceUid": DATASOURCE}
        return {**common, "data": [query], "labels": dict(rule.labels), "record": record}
    # The query answers only where the alert holds, and no number of it is ever negative.
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
        name: text.replace("{{ $value ", "{{ $values.A.Value ")
        for name, text in rule.annotations(spec).items()
    }
    return {
        **common,
        "condition": "B",
        "data": [query, threshold],
        "noDataState": "OK",
        "execErrState": "Error",
        "for": write_minutes(rule.wait),
        "keepFiringFor": write_minutes(rule.keep),
        "labels": rule.static_labels(spec.service.name),
        "annotations": annotations,
    }
