"""Types of the values in a spec, and the checks that its sections share."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from claudescope._internal.exceptions import did_you_mean
from claudescope._internal.file_model import Duration, ratio_of
from claudescope._internal.file_model import FileModel as SpecModel
from claudescope.schema.catalogue import METRICS, Label, Metric

__all__ = ["Duration", "Identifier", "Number", "Ratio", "SpecModel", "bucket", "label_named", "metric_named"]


def _ratio(value: object) -> Decimal:
    ratio = ratio_of(value)
    # An alert fires above its threshold, so it would never fire at 100 %.
    if ratio is None or not 0 < ratio < 1:
        raise ValueError("expected a ratio such as '5%' or 0.05, above 0 and below 100%")
    return ratio


def _decimal(value: object) -> object:
    return str(value) if isinstance(value, float) else value


Ratio = Annotated[Decimal, BeforeValidator(_ratio, json_schema_input_type=str | float)]
"""A ratio: `5%` or 0.05."""

Number = Annotated[Decimal, BeforeValidator(_decimal, json_schema_input_type=float | int | str)]
"""A number, exactly as it was written."""

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
"""A name that is part of file names and label values."""


def metric_named(name: str) -> Metric:
    """The metric of the catalogue that has an OpenTelemetry name.

    Raises:
        ValueError: There is none.
    """
    for metric in METRICS:
        if metric.name == name:
            return metric
    known = [metric.name for metric in METRICS]
    raise ValueError(f"claudescope has no metric {name!r}.{did_you_mean(name, known)}")


def label_named(name: str, metric: Metric) -> Label:
    """The label of a metric that has an OpenTelemetry name.

    Raises:
        ValueError: The metric has no such label.
    """
    for label in metric.labels:
        if label.name == name:
            return label
    known = [label.name for label in metric.labels]
    raise ValueError(f"{metric.name} has no label {name!r}.{did_you_mean(name, known)} Its labels: {', '.join(known)}")


def bucket(metric: Metric, seconds: float) -> str:
    """The upper bound of a histogram's bucket, as Prometheus writes it.

    Args:
        metric: The histogram.
        seconds: The bound in seconds.

    Raises:
        ValueError: No bucket of the histogram ends there, so calls cannot be counted against it.
    """
    for bound in metric.buckets:
        if abs(bound - seconds) < 1e-9 * bound:
            return f"{bound:.10g}"
    lower = max((bound for bound in metric.buckets if bound < seconds), default=metric.buckets[0])
    upper = min((bound for bound in metric.buckets if bound > seconds), default=metric.buckets[-1])
    near = " or ".join(f"{bound:.10g}s" for bound in dict.fromkeys((lower, upper)))
    raise ValueError(f"{metric.name} has no bucket that ends at {seconds:g}s. Expected the end of a bucket, "
                     f"such as {near}")  # fmt: skip
