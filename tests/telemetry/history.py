"""Writes the calls of some days as the history that Prometheus would have scraped from the app.

Every call goes through the real metrics sink and the OpenTelemetry exporter for Prometheus, so names, labels and
buckets are those that an app has. The text is OpenMetrics with timestamps, which `promtool` turns into blocks.

Days before the last hours are scraped coarsely, and each of their calls stands for many: windows of a day and more
have data, and writing it takes a minute and not an hour.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry

from claudescope._internal.counters import DROPPED_SENTRY_EVENTS, INTERNAL_ERRORS
from claudescope.pricing.price_book import PriceBook
from claudescope.schema.catalogue import ACTIVE_CALLS, PROCESS_START_TIME, RATE_LIMIT, RATE_LIMIT_REMAINING
from claudescope.schema.record import CallRecord, CallStart
from claudescope.sinks.metrics import MetricsSink
from tests.telemetry.calls import INSTANCES, batch_results, calls, phase_at

__all__ = ["JOB", "Span", "write_history"]

JOB: Final = "assistant"
"""The value of `job` that all series have."""

_GAUGES: Final = frozenset(
    metric.prometheus for metric in (ACTIVE_CALLS, PROCESS_START_TIME, RATE_LIMIT, RATE_LIMIT_REMAINING)
)
_EACH_STANDS_FOR: Final = 12
_DEPLOYED: Final = 4 * 3600
"""How many seconds before the end all instances say that they have started."""
_Key = tuple[Any, ...]  # a name, and pairs of a label and its value
_KINDS_HELD_BACK: Final = ("rate_limit_error", "overloaded_error", "api_error")


@dataclass(frozen=True, slots=True)
class Span:
    """What time the history covers, in seconds. It gets finer towards its end.

    Attributes:
        end: Its end, in Unix seconds.
        fine: How long the last part is.
        step: Between two scrapes of the last part.
        middle: How long the part before it is.
        middle_step: Between two scrapes of that.
        coarse: How long the first part is, in which each call stands for many.
        coarse_step: Between two scrapes of that.
    """

    end: int
    fine: int = 6 * 3600
    step: int = 60
    middle: int = 0
    middle_step: int = 120
    coarse: int = 4 * 86400
    coarse_step: int = 1800

    @property
    def turn(self) -> int:
        """When the coarse part ends, in Unix seconds."""
        return self.end - self.fine - self.middle

    @property
    def start(self) -> int:
        """When the history begins, in Unix seconds."""
        return self.turn - self.coarse

    def intervals(self) -> Iterator[tuple[int, int]]:
        """Begin and length of every interval between two scrapes, in order."""
        at = self.start
        for length, step in (
            (self.coarse, self.coarse_step),
            (self.middle, self.middle_step),
            (self.fine, self.step),
        ):
            yield from ((moment, step) for moment in range(at, at + length, step))
            at += length


class _Instance:
    """One process of the app: its sink, and what was scraped from it."""

    def __init__(self, name: str, seed: int, prices: PriceBook) -> None:
        self._name = name
        self._random = Random(f"{seed}/{name}")  # noqa: S311 # no secret
        self._prices = prices
        self._registry = CollectorRegistry()
        reader = PrometheusMetricReader(disable_target_info=True)
        # The reader registers its collector globally; here each instance has a page of its own.
        self._collector = reader._collector
        self._registry.register(self._collector)
        self._provider = MeterProvider([reader], resource=Resource.create({}))
        self._sink = MetricsSink(self._provider.get_meter("claudescope"))
        self._samples: dict[_Key, list[tuple[float, int]]] = {}
        self._at_turn: dict[_Key, float] = {}
        self._faults: dict[str, int] = {"probe": 0, "sentry": 0}
        self._held_back: dict[str, int] = dict.fromkeys(_KINDS_HELD_BACK, 0)

    def live(self, at: int, seconds: int, span: Span) -> None:
        """Make the calls of an interval."""
        share = 1.0 if at >= span.turn else 1 / _EACH_STANDS_FOR
        for record in calls(self._random, self._prices, self._name, at, seconds, span.end, share):
            self._sink.started(_start(record))
            self._sink.finished(record)
            if record.error_type in self._held_back and self._random.random() < 0.8:
                self._held_back[record.error_type] += 1
        if self._name == "worker-1" and at % 86400 // 3600 == 2:
            for result in batch_results(self._random, self._prices, at, round(seconds / 60)):
                self._sink.batch_result(result)
        if self._name == "web-2" and phase_at((span.end - at) / 60).name == "outage" and self._random.random() < 0.1:
            self._faults["sentry"] += 1

    def scrape(self, at: int, span: Span) -> None:
        """Keep what a scrape at a time would get."""
        self._sink._store.started_at = span.start if at < span.end - _DEPLOYED else span.end - _DEPLOYED
        with self._in_flight(at, span), _process_counts(self._faults, self._held_back):
            families = list(self._registry.collect())
        for family in families:
            for sample in family.samples:
                # A label without a value is none to Prometheus.
                key = (sample.name, *sorted(pair for pair in sample.labels.items() if pair[1]))
                self._samples.setdefault(key, []).append((self._scaled(key, sample.value, at, span), at))
        self._samples.setdefault(("up",), []).append((1, at))
        self._samples.setdefault(("target_info", ("service_version", "1.4.2")), []).append((1, at))

    def _scaled(self, key: _Key, value: float, at: int, span: Span) -> float:
        """What a counter says where each call of the coarse part counts as many."""
        if key[0] in _GAUGES:
            return value
        if at <= span.turn:
            self._at_turn[key] = value
            return value * _EACH_STANDS_FOR
        return value + self._at_turn.get(key, 0.0) * (_EACH_STANDS_FOR - 1)

    @contextmanager
    def _in_flight(self, at: int, span: Span) -> Generator[None]:
        """Some calls are in flight while a scrape happens."""
        flying = [
            record
            for record in calls(self._random, self._prices, self._name, at, 10, span.end)
            if self._random.random() < record.duration / 10
        ]
        for record in flying:
            self._sink.started(_start(record))
        try:
            yield
        finally:
            for record in flying:
                self._sink.lost(_start(record))

    def lines(self) -> Iterator[tuple[str, str]]:
        """Name and labels of every series, and its text."""
        for (name, *labels), samples in self._samples.items():
            pairs = sorted({**dict(labels), "job": JOB, "instance": self._name}.items())
            written = ",".join(f'{label}="{value}"' for label, value in pairs)
            series = f"{name}{{{written}}}"
            yield series, "".join(f"{series} {value:.12g} {at}\n" for value, at in samples)

    def close(self) -> None:
        """Stop the provider."""
        self._provider.shutdown()


@contextmanager
def _process_counts(faulty: dict[str, int], held: dict[str, int]) -> Generator[None]:
    """Counts of the process, which here has several instances in it."""
    before = dict(INTERNAL_ERRORS._counts), dict(DROPPED_SENTRY_EVENTS._counts)
    try:
        for counts, values in ((INTERNAL_ERRORS._counts, faulty), (DROPPED_SENTRY_EVENTS._counts, held)):
            counts.clear()
            counts.update(values)
        yield
    finally:
        for counts, values in zip((INTERNAL_ERRORS._counts, DROPPED_SENTRY_EVENTS._counts), before, strict=True):
            counts.clear()
            counts.update(values)


def _start(record: CallRecord) -> CallStart:
    return CallStart(
        record.operation,
        record.provider,
        record.request_model,
        record.stream,
        record.server_address,
        record.workflow,
    )


def write_history(path: Path, span: Span, seed: int = 0) -> int:
    """Write the history of all instances.

    Args:
        path: The file to write.
        span: What time it covers.
        seed: Makes other days.

    Returns:
        How many series it has.
    """
    prices = PriceBook()
    instances = [_Instance(name, seed, prices) for name in INSTANCES]
    for at, seconds in span.intervals():
        for instance in instances:
            instance.live(at, seconds, span)
            instance.scrape(at + seconds, span)
    series = sorted(pair for instance in instances for pair in instance.lines())
    for instance in instances:
        instance.close()
    with path.open("w", encoding="utf-8") as file:
        file.writelines(text for _, text in series)
        file.write("# EOF\n")
    return len(series)
