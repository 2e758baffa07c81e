"""The metrics of claudescope's own endpoint: numbers that a scrape reads, without OpenTelemetry's collection.

OpenTelemetry makes and compares an object for each series of each scrape, which takes seconds where there are many. Its
API is kept, so that one sink records into both.
"""

from __future__ import annotations

import json
import threading
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.metrics import (
    CallbackOptions,
    Histogram,
    Meter,
    MeterProvider,
    NoOpHistogram,
    NoOpMeter,
    NoOpMeterProvider,
    ObservableCounter,
    ObservableGauge,
    ObservableUpDownCounter,
    Observation,
)
from opentelemetry.sdk.resources import Resource

from claudescope._internal.fork import renew_in_child
from claudescope.schema.catalogue import METRICS, Metric

__all__ = ["MAX_SERIES", "Family", "Labels", "ScrapedMeter", "ScrapedMeterProvider"]

Labels = tuple[tuple[str, Any], ...]
"""Names and values of labels, as OpenTelemetry has them."""
_Callback = Callable[[CallbackOptions], Iterable[Observation]] | Generator[Iterable[Observation], CallbackOptions, None]
_Callbacks = Sequence[_Callback] | None

MAX_SERIES: Final = 2000
"""Combinations of labels that a histogram keeps: OpenTelemetry's own limit. Further ones share a series."""
_OVERFLOW: Final[Labels] = (("otel.metric.overflow", True),)
_METRICS: Final = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with its current values.

    Attributes:
        metric: The metric.
        points: Its labels and values: of a histogram the count of each bucket and the sum, of any other metric one.
    """

    metric: Metric
    points: list[tuple[Labels, list[float]]]


class _Histogram(NoOpHistogram):
    """Counts by bucket, and passes on to another one."""

    def __init__(self, metric: Metric, beside: Histogram) -> None:
        super().__init__(metric.name, metric.unit, metric.description)
        self._metric = metric
        self._bounds = metric.buckets
        self._beside = beside
        self._series: dict[Labels, list[float]] = {}
        self._lock = threading.Lock()
        renew_in_child(self, "_lock")

    def record(
        self, amount: float, attributes: Mapping[str, Any] | None = None, context: Context | None = None
    ) -> None:
        self._beside.record(amount, attributes, context)
        if amount < 0:
            return  # as the SDK does
        labels: Labels = tuple(attributes.items()) if attributes else ()
        bucket = bisect_left(self._bounds, amount)
        with self._lock:
            counts = self._series.get(labels)
            if counts is None:
                if len(self._series) >= MAX_SERIES - 1:
                    labels = _OVERFLOW
                counts = self._series.setdefault(labels, [0] * (len(self._bounds) + 2))
            counts[bucket] += 1
            counts[-1] += amount

    def family(self) -> Family:
        with self._lock:
            return Family(self._metric, [(labels, counts.copy()) for labels, counts in self._series.items()])


class _Observed:
    """Asks the callbacks of an observable instrument."""

    def __init__(self, metric: Metric, callbacks: _Callbacks) -> None:
        self._metric = metric
        # Those of claudescope are functions.
        self._callbacks = [callback for callback in callbacks or () if callable(callback)]

    def family(self) -> Family:
        observed = [each for callback in self._callbacks for each in callback(CallbackOptions())]
        return Family(self._metric, [(tuple((each.attributes or {}).items()), [each.value]) for each in observed])


class ScrapedMeter(NoOpMeter):
    """Makes instruments of the catalogue, whose values a scrape reads.

    Args:
        name: Name of the scope.
        version: Its version.
        beside: Makes the same instruments, for other exporters.
    """

    def __init__(self, name: str, version: str | None, beside: Meter) -> None:
        super().__init__(name, version)
        self._beside = beside
        self._instruments: list[_Histogram | _Observed] = []

    def families(self) -> list[Family]:
        """The current values of all metrics that have some."""
        return [family for instrument in self._instruments if (family := instrument.family()).points]

    def create_histogram(
        self,
        name: str,
        unit: str = "",
        description: str = "",
        *,
        explicit_bucket_boundaries_advisory: Sequence[float] | None = None,
    ) -> Histogram:
        """Make a histogram with the catalogue's buckets."""
        beside = self._beside.create_histogram(
            name, unit, description, explicit_bucket_boundaries_advisory=explicit_bucket_boundaries_advisory
        )
        made = _Histogram(_METRICS[name], beside)
        self._instruments.append(made)
        return made

    def create_observable_counter(
        self, name: str, callbacks: _Callbacks = None, unit: str = "", description: str = ""
    ) -> ObservableCounter:
        """Make a counter that reads its values from callbacks."""
        self._instruments.append(_Observed(_METRICS[name], callbacks))
        return self._beside.create_observable_counter(name, callbacks, unit, description)

    def create_observable_up_down_counter(
        self, name: str, callbacks: _Callbacks = None, unit: str = "", description: str = ""
    ) -> ObservableUpDownCounter:
        """Make a counter that may fall, and reads its values from callbacks."""
        self._instruments.append(_Observed(_METRICS[name], callbacks))
        return self._beside.create_observable_up_down_counter(name, callbacks, unit, description)

    def create_observable_gauge(
        self, name: str, callbacks: _Callbacks = None, unit: str = "", description: str = ""
    ) -> ObservableGauge:
        """Make a gauge that reads its values from callbacks."""
        self._instruments.append(_Observed(_METRICS[name], callbacks))
        return self._beside.create_observable_gauge(name, callbacks, unit, description)


class ScrapedMeterProvider(MeterProvider):
    """Gives claudescope's meter to the sink of an endpoint.

    Args:
        resource: The resource of the process.
        beside: The provider of other exporters, whose instruments get the same; None without such.
    """

    def __init__(self, resource: Resource, beside: MeterProvider | None = None) -> None:
        self._resource = resource
        self._beside = NoOpMeterProvider() if beside is None else beside
        self.meters: list[ScrapedMeter] = []

    def get_meter(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> Meter:
        """A meter whose values a scrape reads."""
        del schema_url, attributes
        made = ScrapedMeter(name, version, self._beside.get_meter(name, version))
        self.meters.append(made)
        return made

    @property
    def resource(self) -> dict[str, str]:
        """The attributes of the resource, as text."""
        attributes: Mapping[str, Any] = self._resource.attributes
        return {name: _text(value) for name, value in attributes.items()}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
