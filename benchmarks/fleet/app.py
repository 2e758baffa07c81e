"""Makes the series of one instance: simulated calls through the real metrics sink and the exporter for Prometheus."""

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
from tests.telemetry.calls import PHASES, WORKFLOWS, _call
from tests.telemetry.history import _start

from claudescope.pricing.price_book import PriceBook
from claudescope.schema.catalogue import ACTIVE_CALLS, RATE_LIMIT, RATE_LIMIT_REMAINING
from claudescope.sinks.metrics import MetricsSink

__all__ = ["DAY", "MODELS", "Series", "series_of_an_app"]

MODELS: Final = ("claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5", "claude-fable-5-2", "claude-sonnet-5")
"""The model of each workflow of the app."""

_CALLS: Final = 3000
_GAUGES: Final = {metric.prometheus for metric in (ACTIVE_CALLS, RATE_LIMIT, RATE_LIMIT_REMAINING)}
_OF_OBJECTIVE: Final = re.compile(r'(\w+_bucket)\{[^}]*\ble="([^"]+)"')

DAY: Final = 86400
_SHOWN: Final = 7 * 3600
"""Seconds. Dashboards with buckets show six hours."""

_UNREAD: Final = 3600


@dataclass(frozen=True, slots=True)
class Series:
    """A series without the labels that a scrape adds.

    Attributes:
        name: Its name.
        labels: Its labels.
        total: Increase in a day, or the last value of a gauge.
        gauge: Whether it is a gauge.
        whole: Whether its values are whole numbers, such as calls and tokens.
        kept: Seconds for which it is written: as far as any query looks back, at least an hour.
        group: Index of its model. Series of a model grow alike.
        every: Minutes between samples, a divisor of 60.
    """

    name: str
    labels: tuple[tuple[str, str], ...]
    total: float
    gauge: bool
    whole: bool
    kept: int
    group: int
    every: int = 1


def series_of_an_app(rules: Iterable[str], queries: Iterable[str], calls: int = _CALLS, seed: int = 0) -> list[Series]:
    """Return all series of one instance after a day without incidents, sorted.

    Args:
        rules: Rule files as text. Rules look back over days at the buckets that they name.
        queries: Queries of dashboards. They look back over hours at the buckets that they name.
        calls: Number of calls of each of the five workflows.
        seed: Seed of the random numbers.
    """
    days = {found.groups() for text in rules for found in _OF_OBJECTIVE.finditer(text)}
    hours = set(re.findall(r"\w+_bucket", " ".join(queries)))

    def kept(name: str, le: str | None) -> int:
        return DAY if le is None or (name, le) in days else _SHOWN if name in hours else _UNREAD

    random, prices = Random(seed), PriceBook()  # noqa: S311 # no secret
    registry, reader = CollectorRegistry(), PrometheusMetricReader(disable_target_info=True)
    registry.register(reader._collector)
    provider = MeterProvider([reader])
    sink = MetricsSink(provider.get_meter("claudescope"))
    for workflow, model in zip(WORKFLOWS, MODELS, strict=True):
        variant = dataclasses.replace(workflow, model=model)
        for _ in range(calls):
            record = _call(random, prices, variant, PHASES[0], 1_700_000_000)
            sink.started(_start(record))
            sink.finished(record)
    found: list[Series] = []
    for family in registry.collect():
        for sample in family.samples:
            # Prometheus drops labels with an empty value.
            labels = tuple(sorted(pair for pair in sample.labels.items() if pair[1]))
            model = dict(labels).get("gen_ai_request_model", MODELS[0])
            found.append(
                Series(
                    sample.name,
                    labels,
                    sample.value,
                    gauge=sample.name in _GAUGES,
                    whole=sample.name in _GAUGES
                    or (float(sample.value).is_integer() and not sample.name.endswith("_sum")),
                    kept=kept(sample.name, sample.labels.get("le")),
                    group=MODELS.index(model) if model in MODELS else 0,
                )
            )
    provider.shutdown()
    return sorted(found, key=lambda series: (series.group, series.name, series.labels))
