"""The page of metrics and labels, from the catalogue."""

from __future__ import annotations

from claudescope.schema.catalogue import COMMON_LABELS, LABELS, METRICS, Label
from generators.markdown import code, page, table

__all__ = ["signals"]


def signals() -> str:
    """Every metric, label and bucket of the catalogue."""
    return page(
        "Signals",
        "Every metric that claudescope emits, with the labels that it can carry. Names follow the OpenTelemetry GenAI "
        "conventions where these define one. [Attributes](attributes.md) lists those of spans and log records.",
        "## Metrics",
        table(
            ["metric", "in Prometheus", "instrument", "unit", "description", "labels"],
            (
                [
                    f"`{metric.name}`",
                    f"`{metric.prometheus}`",
                    metric.instrument,
                    f"`{metric.unit}`" if metric.unit else "",
                    metric.description,
                    _names(metric.labels),
                ]
                for metric in METRICS
            ),
        ),
        f"The common labels are {code(label.name for label in COMMON_LABELS)}.",
        "## Labels",
        table(
            ["label", "in Prometheus", "description", "values"],
            ([f"`{label.name}`", f"`{label.prometheus}`", label.description, _values(label)] for label in LABELS),
        ),
        "## Buckets",
        table(
            ["histogram", "upper bounds of its explicit buckets"],
            ([f"`{metric.name}`", ", ".join(map(_bound, metric.buckets))] for metric in METRICS if metric.buckets),
        ),
    )


def _bound(bound: float) -> str:
    return f"{bound:,g}" if bound < 1e6 else f"{bound:,.0f}"


def _values(label: Label) -> str:
    return code(label.values) if label.values else f"up to {label.cap} in a process, then `other`"


def _names(labels: tuple[Label, ...]) -> str:
    if set(COMMON_LABELS) <= set(labels):
        return ", ".join(["common", *(f"`{label.name}`" for label in labels if label not in COMMON_LABELS)])
    return code(label.name for label in labels)
