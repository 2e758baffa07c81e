"""The series of one instance: real calls through the real metrics sink and the exporter for Prometheus."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry

from claudescope.catalogue import ACTIVE_CALLS, RATE_LIMIT, RATE_LIMIT_REMAINING
from claudescope.pricing import PriceBook
from claudescope.sinks.metrics import MetricsSink
from tests.telemetry.calls import PHASES, WORKFLOWS, _call
from tests.telemetry.history import _start

__all__ = ["MODELS", "Series", "series_of_an_app"]

MODELS: Final = ("claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5", "claude-fable-5-2", "claude-sonnet-5")
"""Each is what one workflow of the app asks for."""

_CALLS: Final = 3000
_GAUGES: Final = {metric.prometheus for metric in (ACTIVE_CALLS, RATE_LIMIT, RATE_LIMIT_REMAINING)}
_READ_FOR_LONG: Final = re.compile(r'(\w+_bucket)\{[^}]*\ble="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Series:
    """A series without the labels that a scrape adds.

    Attributes:
        name: Its name.
        labels: Its labels.
        total: What it counts in a day; of a gauge, its last value.
        gauge: Whether it goes up and down.
        whole: Whether it counts whole things: calls, tokens.
        long: Whether anything looks at more than its last hours.
        group: Series of the same model grow alike.
    """

    name: str
    labels: tuple[tuple[str, str], ...]
    total: float
    gauge: bool
    whole: bool
    long: bool
    group: int


def series_of_an_app(rules: Iterable[str], calls: int = _CALLS, seed: int = 0) -> list[Series]:
    """All series of one instance after a quiet day, sorted.

    Args:
        rules: Rule files of Prometheus, as text: the buckets that they name are looked at over days.
        calls: How many calls each of the five workflows makes.
        seed: Makes another day.
    """
    long = {found.groups() for text in rules for found in _READ_FOR_LONG.finditer(text)}
    random, prices = Random(seed), PriceBook()  # noqa: S311 # no secret
    registry, reader = CollectorRegistry(), PrometheusMetricReader(disable_target_info=True)
    registry.register(reader._collector)
    provider = MeterProvider([reader])
    sink = MetricsSink(provider.get_meter("claudescope"))
    for workflow, model in zip(WORKFLOWS, MODELS, strict=True):
        kind = dataclasses.replace(workflow, model=model)
        for _ in range(calls):
            record = _call(random, prices, kind, PHASES[0], 1_700_000_000)
            sink.started(_start(record))
            sink.finished(record)
    found: list[Series] = []
    for family in registry.collect():
        for sample in family.samples:
            # A label without a value is none to Prometheus.
            labels = tuple(sorted(pair for pair in sample.labels.items() if pair[1]))
            model = dict(labels).get("gen_ai_request_model", MODELS[0])
            found.append(
                Series(
                    sample.name,
                    labels,
                    sample.value,
                    gauge=sample.name in _GAUGES,
                    whole=float(sample.value).is_integer() and not sample.name.endswith("_sum"),
                    long="le" not in sample.labels or (sample.name, sample.labels["le"]) in long,
                    group=MODELS.index(model) if model in MODELS else 0,
                )
            )
    provider.shutdown()
    return sorted(found, key=lambda series: (series.group, series.name, series.labels))
