"""Names of metrics and labels in a backend, by the `naming` of a spec."""

from __future__ import annotations

import re
from typing import Final

from claudescope.schema.catalogue import Label, Metric
from claudescope_alerts.spec.model import Naming

__all__ = ["label_name", "metric_name"]

_FORBIDDEN: Final = r"[^a-zA-Z0-9:]+"


def metric_name(metric: Metric, naming: Naming, namespace: str = "") -> str:
    """Name of a metric; for a histogram the name that `_bucket` follows, and the one of a native histogram.

    Args:
        metric: The metric.
        naming: How the backend names metrics.
        namespace: Prefix that a Collector adds, without its underscore.
    """
    underscored = re.sub(_FORBIDDEN, "_", metric.name)
    if naming == "prometheus":
        name = metric.prometheus
    elif naming == "without-suffixes":
        name = underscored
    elif naming == "victoriametrics":
        name = metric.name
    else:
        name = metric.name + metric.prometheus.removeprefix(underscored)
    return f"{namespace}_{name}" if namespace else name


def label_name(label: Label, naming: Naming) -> str:
    """Name of a label."""
    return label.prometheus if naming in {"prometheus", "without-suffixes"} else label.name
