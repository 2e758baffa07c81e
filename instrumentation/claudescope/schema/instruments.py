"""What a metric and a label are, and their names in Prometheus. The catalogue declares each of them.

Prometheus names follow OpenTelemetry's own translation
(https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/): every run of characters that
Prometheus forbids becomes one underscore, the unit is appended in words, and a monotonic sum ends in `_total`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["Instrument", "Label", "Metric"]

Instrument = Literal["histogram", "counter", "updowncounter", "gauge"]
"""The OpenTelemetry instruments in use. All but the histograms are observable: read when an export happens."""

_FORBIDDEN_IN_METRIC: Final = r"[^a-zA-Z0-9:]+"
_FORBIDDEN_IN_LABEL: Final = r"[^a-zA-Z0-9]+"
_UNIT_SUFFIXES: Final = {
    "": "",
    "s": "seconds",
    "{token}": "",
    "{token}/s": "per_second",
    "{call}": "",
    "{use}": "",
    "{result}": "",
}


@dataclass(frozen=True, slots=True)
class Label:
    """A dimension of a metric.

    Attributes:
        name: OpenTelemetry attribute name.
        description: What it says, in one sentence.
        values: All values that it can have; None where they come from outside and are capped.
        cap: How many distinct values a process keeps before further ones become `other`; None for a closed set.
    """

    name: str
    description: str
    values: tuple[str, ...] | None = None
    cap: int | None = None

    @property
    def prometheus(self) -> str:
        """The label's name in Prometheus."""
        return re.sub(_FORBIDDEN_IN_LABEL, "_", self.name)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of the catalogue.

    Attributes:
        name: OpenTelemetry instrument name.
        instrument: The OpenTelemetry instrument.
        unit: Unit in UCUM notation; empty where the name says it.
        description: What it measures, in one sentence.
        labels: Its dimensions.
        buckets: Upper bounds of a histogram's explicit buckets, in `unit`; empty for anything else.
    """

    name: str
    instrument: Instrument
    unit: str
    description: str
    labels: tuple[Label, ...]
    buckets: tuple[float, ...] = ()

    @property
    def prometheus(self) -> str:
        """The metric's name in Prometheus: for a histogram the name that `_bucket`, `_sum` and `_count` follow."""
        base = re.sub(_FORBIDDEN_IN_METRIC, "_", self.name)
        suffix = self.prometheus_unit
        if suffix and not base.endswith(f"_{suffix}"):
            base = f"{base}_{suffix}"
        return f"{base}_total" if self.instrument == "counter" else base

    @property
    def prometheus_unit(self) -> str:
        """The metric's unit in Prometheus, in words; empty where it has none."""
        return _UNIT_SUFFIXES[self.unit]

    @property
    def series(self) -> tuple[str, ...]:
        """The names of its series in Prometheus."""
        if self.instrument == "histogram":
            return tuple(f"{self.prometheus}_{part}" for part in ("bucket", "count", "sum"))
        return (self.prometheus,)
