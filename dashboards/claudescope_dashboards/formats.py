"""Formats in which Grafana loads dashboards: import, file provisioning, and manifests for the sidecar."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["FOLDER", "configmaps", "dashboard_provider", "data_source", "importable"]

FOLDER: Final = "Claude"
"""Title of Grafana's folder for the dashboards."""

_INPUT: Final = "DS_PROMETHEUS"
_PANELS: Final = {
    "bargauge": "Bar gauge",
    "heatmap": "Heatmap",
    "stat": "Stat",
    "state-timeline": "State timeline",
    "table": "Table",
    "timeseries": "Time series",
}


def importable(dashboard: dict[str, Any]) -> dict[str, Any]:
    """Convert a dashboard to the format of a shared export. Grafana then asks for the data source at import.

    Args:
        dashboard: The dashboard. It is changed in place.
    """
    types = sorted({panel["type"] for panel in dashboard["panels"]} - {"row"})
    dashboard["__inputs"] = [
        {
            "name": _INPUT,
            "label": "Prometheus",
            "description": "Prometheus data source with the metrics and the recording rules.",
            "type": "datasource",
            "pluginId": "prometheus",
            "pluginName": "Prometheus",
        }
    ]
    dashboard["__requires"] = [
        {"type": "grafana", "id": "grafana", "name": "Grafana", "version": "11.0.0"},
        {"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"},
        *({"type": "panel", "id": panel_type, "name": _PANELS[panel_type], "version": ""} for panel_type in types),
    ]
    source = next(variable for variable in dashboard["templating"]["list"] if variable["name"] == "datasource")
    source["current"] = {"selected": True, "text": f"${{{_INPUT}}}", "value": f"${{{_INPUT}}}"}
    return dashboard


def dashboard_provider() -> dict[str, Any]:
    """Make the provider with which Grafana loads the dashboards from a folder
    (https://grafana.com/docs/grafana/latest/administration/provisioning/#dashboards).
    """  # noqa: D205
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": "claudescope",
                "orgId": 1,
                "folder": FOLDER,
                "folderUid": "claudescope",
                "type": "file",
                "disableDeletion": False,
                "allowUiUpdates": False,
                "updateIntervalSeconds": 30,
                "options": {"path": "/etc/grafana/dashboards/claudescope"},
            }
        ],
    }


def data_source() -> dict[str, Any]:
    """Make a Prometheus data source whose exemplars link to traces in Tempo
    (https://grafana.com/docs/grafana/latest/datasources/prometheus/configure/#provision-the-data-source).
    """  # noqa: D205
    return {
        "apiVersion": 1,
        "datasources": [
            {
                "name": "Prometheus",
                "uid": "prometheus",
                "type": "prometheus",
                "access": "proxy",
                "url": "$PROMETHEUS_URL",
                "isDefault": True,
                "jsonData": {
                    "httpMethod": "POST",
                    "timeInterval": "15s",
                    "exemplarTraceIdDestinations": [{"name": "trace_id", "datasourceUid": "tempo"}],
                },
            }
        ],
    }


def configmaps(dashboards: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Make the manifests that Grafana's sidecar finds by their label
    (https://github.com/grafana/helm-charts/tree/main/charts/grafana#sidecar-for-dashboards).
    """  # noqa: D205
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": dashboard["uid"],
                "labels": {"app.kubernetes.io/managed-by": "claudescope", "grafana_dashboard": "1"},
                "annotations": {"grafana_folder": FOLDER},
            },
            "data": {f"{dashboard['uid']}.json": json.dumps(dashboard, sort_keys=True, ensure_ascii=False)},
        }
        for dashboard in dashboards.values()
    ]
