"""How far a percentile may be off, for the descriptions of panels that show one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from claudescope.schema.catalogue import DURATION, METRICS, TIME_TO_FIRST_CHUNK, Metric
from claudescope.schema.recorded_series import DURATION_P95, FIRST_TOKEN_P95
from claudescope_alerts.spec.model import Histograms

__all__ = ["accuracy"]

_EXPONENTIAL: Final = "5 %"
"""OpenTelemetry's exponential histograms have 160 buckets. Over five decades, from 10 ms to 17 minutes, these grow by
7.5 % each, so that the middle of one is at most 4 % off; durations of one model are far closer together."""

_PERCENTILES: Final = {
    series.name: metric
    for baseline, metric in ((DURATION_P95, DURATION), (FIRST_TOKEN_P95, TIME_TO_FIRST_CHUNK))
    for series in (baseline.now, baseline.hour, baseline.baseline)
}
"""The recorded series that are percentiles, and of what."""


def _read(exprs: Iterable[str]) -> list[Metric]:
    """The histograms whose percentiles queries ask for."""
    names = {metric.name.replace(".", "_"): metric for metric in METRICS if metric.instrument == "histogram"}
    found: set[str] = set()
    for expr in exprs:
        text = expr.replace(".", "_")
        if "histogram_quantile(" in text:
            found |= {metric.name for name, metric in names.items() if name in text}
        found |= {metric.name for series, metric in _PERCENTILES.items() if series in text}
    return [metric for metric in names.values() if metric.name in found]


def accuracy(exprs: Iterable[str], histograms: Histograms) -> str:
    """How far the percentiles of queries may be off; empty where they ask for none.

    Args:
        exprs: The queries.
        histograms: The form that the spec fixes.
    """
    metrics = _read(exprs)
    if not metrics:
        return ""
    factor = max(upper / lower for metric in metrics for lower, upper in pairwise(metric.buckets))
    explicit = f"Percentiles of explicit buckets, as scrapes have them, may be off by up to a factor of {factor:.2g}"
    if histograms == "classic":
        return f"{explicit}."
    return f"{explicit}; those of exponential histograms, the default over OTLP, by {_EXPONENTIAL}."
