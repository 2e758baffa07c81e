"""Percentiles that a real Prometheus answers, beside those of every single call."""

from __future__ import annotations

import math
import re
from collections.abc import Generator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import (
    Aggregation,
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
)

from claudescope.schema.catalogue import DURATION, TIME_TO_FIRST_CHUNK, TOKEN_TYPE, TOKEN_USAGE, Metric
from claudescope.schema.record import Usage
from claudescope.sinks.metrics import MetricsSink
from claudescope_alerts.promql.selectors import Match, SelectorBuilder
from claudescope_alerts.spec.model import Histograms, load_spec
from tests.components import require
from tests.dashboards.api import Store
from tests.records import make_record
from tests.servers import run_server, wait_for

_CALLS = 4000
_USAGE = Usage(input_tokens=1000, output_tokens=1)
_OUTPUT = Match(TOKEN_TYPE, ("output",))
_QUANTILES = (0.5, 0.9, 0.95, 0.99)


def _record(url: str, aggregation: Aggregation) -> dict[Metric, list[float]]:
    """Record calls of very different lengths, send them, and return what each was."""
    random = Random(7)  # noqa: S311 # no secret
    exporter = OTLPMetricExporter(f"{url}/api/v1/otlp/v1/metrics", preferred_aggregation={Histogram: aggregation})
    provider = MeterProvider([PeriodicExportingMetricReader(exporter, math.inf)], shutdown_on_exit=False)
    sink = MetricsSink(provider.get_meter("claudescope"))
    truth: dict[Metric, list[float]] = {DURATION: [], TIME_TO_FIRST_CHUNK: [], TOKEN_USAGE: []}
    for _ in range(_CALLS):
        duration = random.lognormvariate(1.0, 1.1)
        first = duration * random.uniform(0.1, 0.4)
        output = round(random.lognormvariate(6.5, 0.9)) + 1
        sink.finished(
            make_record(duration=duration, time_to_first_chunk=first, usage=replace(_USAGE, output_tokens=output))
        )
        for metric, value in ((DURATION, duration), (TIME_TO_FIRST_CHUNK, first), (TOKEN_USAGE, output)):
            truth[metric].append(value)
    assert provider.force_flush(60_000)
    provider.shutdown()
    return truth


@pytest.fixture
def url(tmp_path: Path) -> Generator[str]:
    """A Prometheus that takes OTLP."""
    config = tmp_path / "prometheus.yml"
    config.write_text("", encoding="utf-8")
    command: list[str | Path] = [require("go", "prometheus"), f"--config.file={config}", "--web.enable-otlp-receiver"]
    command += [f"--storage.tsdb.path={tmp_path / 'data'}", "--web.listen-address=127.0.0.1:0"]
    with run_server(command, tmp_path / "log") as running:
        wait_for("Prometheus is ready", Store(running).is_ready, tmp_path / "log")
        yield running


def _errors(url: str, truth: dict[Metric, list[float]], histograms: Histograms) -> dict[tuple[str, float], float]:
    """How many times too large or too small each percentile of each metric is."""
    selectors = SelectorBuilder(load_spec().model_copy(update={"histograms": histograms}))
    found: dict[tuple[str, float], float] = {}
    for metric, values in truth.items():
        matches = (_OUTPUT,) if metric is TOKEN_USAGE else ()
        for quantile in _QUANTILES:
            asked = re.sub(
                r"rate\((\{.*?\}|\w+\{.*?\}|\w+)\[\w+\]\)", r"\1", selectors.quantile(quantile, metric, *matches)
            )
            ((_, answer),) = (each["value"] for each in Store(url).instant(asked))
            right = sorted(values)[math.ceil(quantile * len(values)) - 1]
            found[metric.name, quantile] = max(float(answer) / right, right / float(answer))
    return found


@pytest.mark.release
def test_percentiles_of_native_histograms_are_within_five_percent(url: str) -> None:
    """What `configure()` sends by default, of four thousand calls from a tenth of a second to minutes."""
    truth = _record(url, ExponentialBucketHistogramAggregation())
    assert max(_errors(url, truth, "auto").values()) < 1.05


@pytest.mark.release
def test_percentiles_of_classic_histograms_are_within_a_bucket(url: str) -> None:
    """As the panels say: up to the ratio of the bounds of a bucket, which of tokens is less than of durations."""
    truth = _record(url, ExplicitBucketHistogramAggregation())
    errors = _errors(url, truth, "auto")
    for metric in truth:
        widest = max(upper / lower for lower, upper in pairwise(metric.buckets))
        assert max(error for (name, _), error in errors.items() if name == metric.name) < widest
    assert max(errors.values()) > 1.05
