"""The catalogue against what a real exporter prints and against itself."""

from __future__ import annotations

from typing import cast

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from claudescope._internal import internal_errors
from claudescope._internal.counters import DROPPED_SENTRY_EVENTS
from claudescope.probe import sdk
from claudescope.schema import catalogue
from claudescope.schema.catalogue import LABELS, METRICS
from claudescope.schema.error_types import ERROR_TYPES
from claudescope.schema.record import BatchOutcome, BatchResult, CallStart, Hop, Protection, Transition
from claudescope.sinks.metrics import MetricsSink
from tests.records import make_record

_EXPORTER_LABELS = {"le", "otel_scope_name", "otel_scope_schema_url", "otel_scope_version"}


def _exported() -> dict[str, set[str]]:
    """Every series that a real Prometheus exporter prints after a call of each sort, with its labels."""
    registry = CollectorRegistry()
    provider = MeterProvider(metric_readers=[PrometheusMetricReader(registry=registry)])
    sink = MetricsSink(provider.get_meter("test"))
    internal_errors.record("test")
    DROPPED_SENTRY_EVENTS.expect(ERROR_TYPES)
    record = make_record()
    start = CallStart("chat", "anthropic", "claude-opus-5-5", True, "api.anthropic.com", "summarise")
    for finished in (record, make_record(outcome="error", error_type="api_error"), make_record(cost_usd=None)):
        sink.started(start)
        sink.finished(finished)
    sink.finished(make_record(protection=_protection(start)))
    for outcome, kind in (("succeeded", None), ("errored", "api_error")):
        sink.batch_result(
            BatchResult(
                "anthropic",
                "claude-opus-5-5",
                cast("BatchOutcome", outcome),
                kind,
                record.usage,
                record.cost_usd,
                "end_turn",
                "summarise",
                "api.anthropic.com",
            )
        )
    series: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            if sample.name != "target_info" and not sample.name.endswith("_created"):
                series.setdefault(sample.name, set()).update(sample.labels)
    provider.shutdown()
    return series


def _protection(start: CallStart) -> Protection:
    """Everything that a policy can do for a call."""
    return Protection(
        start,
        "second",
        (Hop("api_error", "first", "second"),),
        degraded_by="model",
        rejected="circuit_open",
        queued={"concurrency": 0.5},
        transitions=(Transition("first", "claude-opus-5-5", "open"),),
        retry_budget=3.0,
    )


def test_prometheus_names_are_the_exporters() -> None:
    """The names that the catalogue derives are, all of them and no others, what the exporter prints."""
    expected = {name for metric in METRICS for name in metric.series}
    assert expected == set(_exported())


def test_prometheus_labels_are_the_exporters() -> None:
    """Every metric carries the labels that the catalogue gives it, under the names that it derives."""
    exported = _exported()
    for metric in METRICS:
        expected = {label.prometheus for label in metric.labels}
        for name in metric.series:
            assert expected == exported[name] - _EXPORTER_LABELS, name


def test_every_metric_is_in_the_table() -> None:
    """A metric that is declared is also emitted and documented: `METRICS` has them all, once."""
    declared = [value for value in vars(catalogue).values() if isinstance(value, catalogue.Metric)]
    assert sorted(metric.name for metric in declared) == sorted(metric.name for metric in METRICS)


def test_labels_are_bounded() -> None:
    """Every label is a closed set or has a cap."""
    assert [label.name for label in LABELS if label.values is None and label.cap is None] == []


def test_names_are_unique() -> None:
    """No two metrics and no two labels share a name, in either notation."""
    for names in (
        [metric.name for metric in METRICS],
        [metric.prometheus for metric in METRICS],
        [label.name for label in LABELS],
        [label.prometheus for label in LABELS],
    ):
        assert len(set(names)) == len(names)


def test_operations_are_in_the_catalogue() -> None:
    """The probe names no operation that the catalogue does not have."""
    assert set(sdk.OPERATIONS.values()) <= set(catalogue.OPERATION.values or ())


def test_error_types_are_the_classification() -> None:
    """The values of `error.type` are the kinds of the one table."""
    assert tuple(ERROR_TYPES) == catalogue.ERROR_TYPE.values


def test_duration_buckets_follow_the_convention_and_go_on() -> None:
    """The doubling series starts at 10 ms and reaches beyond twenty minutes."""
    buckets = catalogue.DURATION.buckets
    assert (buckets[0], buckets[13], buckets[-1]) == (0.01, 81.92, 1310.72)


def test_only_histograms_have_buckets() -> None:
    """Buckets belong to histograms, in rising order."""
    for metric in METRICS:
        assert bool(metric.buckets) == (metric.instrument == "histogram"), metric.name
        assert list(metric.buckets) == sorted(set(metric.buckets)), metric.name
