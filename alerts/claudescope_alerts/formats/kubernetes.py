"""PrometheusRule manifests of the Prometheus operator (https://prometheus-operator.dev/docs/api-reference/api/)."""

from __future__ import annotations

from typing import Any

from claudescope_alerts.spec.model import Spec

__all__ = ["prometheus_rule"]


def prometheus_rule(groups: list[dict[str, Any]], spec: Spec) -> dict[str, Any]:
    """One manifest with all groups."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {
            "name": f"claudescope-{spec.service.name}",
            "labels": {"app.kubernetes.io/managed-by": "claudescope", "prometheus": "k8s", "role": "alert-rules"},
        },
        "spec": {"groups": groups},
    }
