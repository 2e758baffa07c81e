"""What the metrics sink records of a call, read back through the OpenTelemetry SDK."""

from __future__ import annotations

import os
import time
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from claudescope.schema.error_types import ERROR_TYPES
from claudescope.schema.record import CallStart
from claudescope.sinks.metrics import MetricsSink
from tests.records import make_record

_COMMON = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-opus-5-5",
    "gen_ai.response.model": "claude-opus-5-5",
    "server.address": "api.anthropic.com",
    "claude.workflow": "summarise",
}
_START = CallStart("chat", "anthropic", "claude-opus-5-5", True, "api.anthropic.com", "summarise")


def _points(reader: InMemoryMetricReader, name: str) -> list[tuple[Any, dict[str, Any]]]:
    """The value, or the sum of a histogram, and the labels of every point of a metric."""
    data = reader.get_metrics_data()
    assert data is not None
    return [
        (
            getattr(point, "value", None) if hasattr(point, "value") else getattr(point, "sum", None),
            dict(point.attributes or {}),
        )
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
        for point in metric.data.data_points
    ]


def test_a_call_in_every_metric(meter_provider: MeterProvider, metric_reader: InMemoryMetricReader) -> None:
    """One call gives each metric the value and the labels that SIGNALS promises."""
    sink = MetricsSink(meter_provider.get_meter("test"))
    sink.started(_START)
    sink.finished(make_record())
    expected: dict[str, list[tuple[float, dict[str, str]]]] = {
        "gen_ai.client.operation.duration": [(4.0, {**_COMMON, "claude.outcome": "ok"})],
        "gen_ai.client.operation.time_to_first_chunk": [(0.5, _COMMON)],
        "gen_ai.client.token.usage": [
            (1000, {**_COMMON, "gen_ai.token.type": "input"}),
            (200, {**_COMMON, "gen_ai.token.type": "output"}),
        ],
        "claude.client.output_speed": [(100.0, _COMMON)],
        "claude.client.stream.stall": [(0.25, _COMMON)],
        "gen_ai.client.inference.usage.cache_read.input_tokens": [(600, _COMMON)],
        "gen_ai.client.inference.usage.cache_write.input_tokens": [
            (100, {**_COMMON, "claude.cache.ttl": "5m"}),
            (50, {**_COMMON, "claude.cache.ttl": "1h"}),
        ],
        "gen_ai.client.inference.usage.reasoning.output_tokens": [(20, _COMMON)],
        "claude.client.cost.usd": [(0.0125, _COMMON)],
        "claude.client.cost.unpriced_calls": [(0, _COMMON)],
        "claude.client.retries": [(1, {**_COMMON, "error.type": "rate_limit_error"})],
        "claude.client.retry.delay": [(1.25, _COMMON)],
        "claude.client.responses": [(1, {**_COMMON, "gen_ai.response.finish_reason": "end_turn"})],
        "claude.client.server_tool.uses": [(2, {**_COMMON, "claude.server_tool.name": "web_search"})],
    }
    assert expected == {name: _points(metric_reader, name) for name in expected}
    limits = {
        key: value
        for key, value in _COMMON.items()
        if key in {"gen_ai.provider.name", "gen_ai.request.model", "server.address"}
    }
    limits["claude.ratelimit.type"] = "requests"
    assert _points(metric_reader, "claude.client.ratelimit.limit") == [(50, limits)]
    assert _points(metric_reader, "claude.client.ratelimit.remaining") == [(49, limits)]


def test_active_calls_rise_and_fall(meter_provider: MeterProvider, metric_reader: InMemoryMetricReader) -> None:
    """A call is in flight from its start to its end, under the labels that both know."""
    sink = MetricsSink(meter_provider.get_meter("test"))
    labels = {key: value for key, value in _COMMON.items() if key != "gen_ai.response.model"}
    sink.started(_START)
    sink.started(_START)
    assert _points(metric_reader, "claude.client.active_calls") == [(2, labels)]
    sink.finished(make_record())
    assert _points(metric_reader, "claude.client.active_calls") == [(1, labels)]


def test_an_error_carries_its_kind(meter_provider: MeterProvider, metric_reader: InMemoryMetricReader) -> None:
    """Only the outcome `error` has an `error.type`."""
    sink = MetricsSink(meter_provider.get_meter("test"))
    sink.finished(make_record(outcome="error", error_type="api_error"))
    sink.finished(make_record(outcome="cancelled"))
    assert _points(metric_reader, "gen_ai.client.operation.duration") == [
        (4.0, {**_COMMON, "claude.outcome": "error", "error.type": "api_error"}),
        (4.0, {**_COMMON, "claude.outcome": "cancelled"}),
    ]


def test_no_price_is_not_a_price_of_zero(meter_provider: MeterProvider, metric_reader: InMemoryMetricReader) -> None:
    """Usage without a price is counted as unpriced, and adds no cost."""
    sink = MetricsSink(meter_provider.get_meter("test"))
    sink.finished(make_record(cost_usd=None))
    assert _points(metric_reader, "claude.client.cost.usd") == []
    assert _points(metric_reader, "claude.client.cost.unpriced_calls") == [(1, _COMMON)]


def test_cost_adds_up_exactly(meter_provider: MeterProvider, metric_reader: InMemoryMetricReader) -> None:
    """A thousand tenths of a cent are one dollar, not 0.9999999999999999."""
    sink = MetricsSink(meter_provider.get_meter("test"))
    for _ in range(1000):
        sink.finished(make_record(cost_usd=Decimal("0.001")))
    assert _points(metric_reader, "claude.client.cost.usd") == [(1.0, _COMMON)]


def test_a_call_without_usage(meter_provider: MeterProvider, metric_reader: InMemoryMetricReader) -> None:
    """A call that the API billed nothing for gives no tokens and no cost."""
    sink = MetricsSink(meter_provider.get_meter("test"))
    sink.finished(make_record(usage=None, cost_usd=None, finish_reason=None, rate_limits={}))
    for name in ("gen_ai.client.token.usage", "claude.client.cost.unpriced_calls", "claude.client.responses"):
        assert _points(metric_reader, name) == []


def test_workflows_are_capped(meter_provider: MeterProvider, metric_reader: InMemoryMetricReader) -> None:
    """The first names up to the cap are kept; everything beyond is one series, `other`."""
    sink = MetricsSink(meter_provider.get_meter("test"), max_workflows=2)
    for number in range(50):
        sink.finished(make_record(workflow=f"w{number}"))
    seen = {labels["claude.workflow"]: value for value, labels in _points(metric_reader, "claude.client.responses")}
    assert seen == {"w0": 1, "w1": 1, "other": 48}


def test_one_sink_per_provider(meter_provider: MeterProvider) -> None:
    """Instruments are made once per provider: a second set would report every observed value twice."""
    assert MetricsSink.for_provider(meter_provider) is MetricsSink.for_provider(meter_provider)
    assert MetricsSink.for_provider(meter_provider) is not MetricsSink.for_provider(None)


def _calls(reader: InMemoryMetricReader) -> dict[tuple[str | None, ...], float]:
    """Calls by outcome, owner and error type, summed over all other labels."""
    calls: dict[tuple[str | None, ...], float] = {}
    for value, labels in _points(reader, "claude.client.calls"):
        key = tuple(labels.get(name) for name in ("claude.outcome", "claude.owner", "error.type"))
        calls[key] = calls.get(key, 0) + value
    return calls


def test_calls_are_counted_from_zero(meter_provider: MeterProvider, metric_reader: InMemoryMetricReader) -> None:
    """When a first call starts, every outcome and error type is there with 0: no first failure is lost to `rate`."""
    sink = MetricsSink(meter_provider.get_meter("test"))
    sink.started(_START)
    born = _calls(metric_reader)
    failures = {("error", row.owner, name) for name, row in ERROR_TYPES.items()}
    assert born == dict.fromkeys(
        {("ok", None, None), ("cancelled", None, None), ("abandoned", None, None)} | failures, 0
    )
    sink.finished(make_record())
    sink.finished(make_record(outcome="error", error_type="api_error"))
    assert _calls(metric_reader) == {**born, ("ok", None, None): 1, ("error", "provider", "api_error"): 1}
    assert _points(metric_reader, "claude.client.streams") == [
        (value, labels)
        for value, labels in ((0, {k: v for k, v in _COMMON.items() if k != "gen_ai.response.model"}), (2, _COMMON))
    ]


def test_zeros_never_take_the_place_of_calls(
    meter_provider: MeterProvider, metric_reader: InMemoryMetricReader
) -> None:
    """OpenTelemetry keeps 2000 series of an instrument: zeros stop at half of that, and calls go on being counted."""
    sink = MetricsSink(meter_provider.get_meter("test"), max_workflows=500)
    for number in range(400):
        sink.finished(make_record(workflow=f"w{number}", outcome="error", error_type="api_error"))
    points = _points(metric_reader, "claude.client.calls")
    assert sum(value for value, _ in points) == 400
    assert sum(value == 0 for value, _ in points) <= 1000
    assert [labels for _, labels in points if "claude.workflow" not in labels] == []


def test_when_the_process_began_to_count(meter_provider: MeterProvider, metric_reader: InMemoryMetricReader) -> None:
    """The start time is in Unix seconds, stays the same, and has no labels."""
    before = time.time()
    MetricsSink(meter_provider.get_meter("test"))
    first, again = (_points(metric_reader, "claudescope.process.start_time") for _ in range(2))
    ((moment, labels),) = first
    assert before <= moment <= time.time()
    assert labels == {}
    assert first == again


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_began_when_it_was_forked(
    meter_provider: MeterProvider, metric_reader: InMemoryMetricReader
) -> None:
    """The start time of a child is its own, not that of its parent."""
    MetricsSink(meter_provider.get_meter("test"))
    ((parent, _),) = _points(metric_reader, "claudescope.process.start_time")
    reading, writing = os.pipe()
    child = os.fork()
    if not child:  # pragma: no cover - the child's coverage dies with it
        try:
            ((own, _),) = _points(metric_reader, "claudescope.process.start_time")
            os.write(writing, repr(own).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        assert parent < float(answer.read()) <= time.time()
    os.waitpid(child, 0)
