"""PrometheusRule manifests of the Prometheus operator (https://prometheus-operator.dev/docs/api-reference/api/)."""

from __future__ import annotations

import json
from typing import Any, Final

from claudescope_alerts.spec.model import Spec

__all__ = ["MAX_BYTES", "prometheus_rules"]

MAX_BYTES: Final = 240_000
"""Size of a manifest as JSON, below the 262,144 bytes that `kubectl apply` can keep in an annotation of the object."""


def prometheus_rules(groups: list[dict[str, Any]], spec: Spec) -> list[dict[str, Any]]:
    """All groups, in as few manifests as `kubectl apply` takes."""
    parts: list[list[dict[str, Any]]] = [[]]
    size = 0
    for group in groups:
        own = len(json.dumps(group))
        if parts[-1] and size + own > MAX_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(group)
        size += own
    return [_manifest(part, spec, f"-{number}" if number > 1 else "") for number, part in enumerate(parts, 1)]


def _manifest(groups: list[dict[str, Any]], spec: Spec, suffix: str) -> dict[str, Any]:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {
            "name": f"claudescope-{spec.service.name}{suffix}",
            "labels": {"app.kubernetes.io/managed-by": "claudescope", "prometheus": "k8s", "role": "alert-rules"},
        },
        "spec": {"groups": groups},
    }
