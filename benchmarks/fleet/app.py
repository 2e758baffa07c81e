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
from tests.telemetry.calls import PHASES, WORKFLOWS, _call
from tests.telemetry.history import _start

from claudescope.pricing.price_book import PriceBook
from claudescope.schema.catalogue import ACTIVE_CALLS, RATE_LIMIT, RATE_LIMIT_REMAINING
from claudescope.sinks.metrics import MetricsSink

__all__ = ["DAY", "MODELS", "Series", "series_of_an_app"]

MODELS: Final = ("claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5", "claude-fable-5-2", "claude-sonnet-5")
"""Each is what one workflow of the app asks for."""

_CALLS: Final = 3000
_GAUGES: Final = {metric.prometheus for metric in (ACTIVE_CALLS, RATE_LIMIT, RATE_LIMIT_REMAINING)}
_OF_OBJECTIVE: Final = re.compile(r'(\w+_bucket)\{[^}]*\ble="([^"]+)"')

DAY: Final = 86400
_SHOWN: Final = 7 * 3600
"""Boards that show buckets show six hours."""

_UNREAD: Final = 3600


@dataclass(frozen=True, slots=True)
class Series:
    """A series without the labels that a scrape adds.

    Attributes:
        name: Its name.
        labels: Its labels.
        total: What it counts in a day; of a gauge, its last value.
        gauge: Whether it goes up and down.
        whole: Whether it counts whole things: calls, tokens.
        kept: For how many seconds it is written: as long as any query looks back, and no less than an hour.
        group: Series of the same model grow alike.
        every: Minutes between samples; a divisor of an hour's.
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
    """All series of one instance after a quiet day, sorted.

    Args:
        rules: Rule files of Prometheus, as text: the buckets that they name are looked at over days.
        queries: Those of boards: the buckets that they name are looked at over hours.
        calls: How many calls each of the five workflows makes.
        seed: Makes another day.
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
                    whole=sample.name in _GAUGES
                    or (float(sample.value).is_integer() and not sample.name.endswith("_sum")),
                    kept=kept(sample.name, sample.labels.get("le")),
                    group=MODELS.index(model) if model in MODELS else 0,
                )
            )
    provider.shutdown()
    return sorted(found, key=lambda series: (series.group, series.name, series.labels))
