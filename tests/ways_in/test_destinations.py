"""The destinations of telemetry, by arguments and standard variables; and claudescope's own variables."""

from __future__ import annotations

import os
import runpy
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import Histogram, ObservableCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, ConsoleMetricExporter
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, ExponentialBucketHistogramAggregation

import claudescope
from claudescope import settings
from claudescope._internal.exceptions import BadInputError
from claudescope.export.destinations import Destinations, choose_destinations
from claudescope.export.exporters import metric_exporter, otlp_exporter, protocol_of
from claudescope.export.resource import detect

_DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Each test sets its own, and none touches the process' providers."""
    for name in os.environ:
        if name.startswith(("OTEL_", "CLAUDESCOPE_")):
            monkeypatch.delenv(name)
    yield
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def _destinations(**options: Any) -> Destinations:
    defaults: dict[str, Any] = {
        "endpoint": None,
        "protocol": None,
        "prometheus_port": None,
        "prometheus_host": "127.0.0.1",
        "console": None,
        "logs": True,
    }
    return choose_destinations(**{**defaults, **options})


_ALL = {"traces", "metrics", "logs"}


@pytest.mark.parametrize(
    ("variables", "options", "otlp", "console", "prometheus"),
    [
        ({}, {}, set(), _ALL, None),
        ({}, {"console": False}, set(), set(), None),
        ({}, {"logs": False}, set(), {"traces", "metrics"}, None),
        ({}, {"endpoint": "http://c:4318"}, _ALL, set(), None),
        ({}, {"prometheus_port": 0}, set(), set(), (0, "127.0.0.1")),
        ({}, {"prometheus_port": 0, "console": True}, set(), _ALL, (0, "127.0.0.1")),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, {}, _ALL, set(), None),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c"}, {}, {"metrics"}, set(), None),
        (
            {"OTEL_METRICS_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"},
            {},
            {"traces", "logs"},
            set(),
            None,
        ),
        ({"OTEL_METRICS_EXPORTER": "prometheus"}, {}, set(), set(), (9464, "localhost")),
        ({"OTEL_METRICS_EXPORTER": "otlp,console"}, {}, {"metrics"}, {"metrics"}, None),
        (
            {"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": "9"},
            {},
            set(),
            set(),
            (9, "localhost"),
        ),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, {}, set(), set(), None),
    ],
)
def test_where_signals_go(
    variables: dict[str, str],
    options: dict[str, Any],
    otlp: set[str],
    console: set[str],
    prometheus: tuple[int, str] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """OTLP where there is an endpoint, Prometheus where there is a port, the console otherwise."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    chosen = _destinations(**options)
    assert ({*map(str, chosen.otlp)}, {*map(str, chosen.console)}) == (otlp, console)
    assert chosen.prometheus == prometheus
    assert chosen.is_empty == (not otlp and not console and prometheus is None)


@pytest.mark.parametrize(
    ("variables", "options", "expected"),
    [
        ({}, {}, "http/protobuf"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317"}, {}, "grpc"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, {}, "http/protobuf"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "c:4317"}, {}, "grpc"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, {}, "grpc"),
        (
            {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"},
            {},
            "http/protobuf",
        ),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, {"protocol": "http/protobuf"}, "http/protobuf"),
        ({}, {"endpoint": "http://c:4317"}, "grpc"),
    ],
)
def test_the_protocol(
    variables: dict[str, str], options: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As asked for, as the variables say, or by the port."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert protocol_of("traces", **options) == expected


@pytest.mark.parametrize(
    ("variables", "options", "expected"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, {}, "OTEL_TRACES_EXPORTER=zipkin: expected otlp, console or none"),
        (
            {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
            {"endpoint": "http://c"},
            "OTEL_EXPORTER_OTLP_PROTOCOL=http/json",
        ),
        ({}, {"endpoint": "http://c", "protocol": "udp"}, "protocol=udp: expected grpc or http/protobuf"),
        ({}, {"endpoint": "collector"}, "endpoint collector: expected a URL"),
        ({}, {"endpoint": "http://c:port"}, "endpoint http://c:port: expected a URL"),
        ({}, {"prometheus_port": 70_000}, "prometheus_port=70000: expected a port"),
        ({}, {"exit_timeout": -1}, "exit_timeout=-1: expected a number from 0 to 60"),
        ({"CLAUDESCOPE_METRICS_PORT": "many"}, {}, "CLAUDESCOPE_METRICS_PORT=many: expected a whole number from 0"),
        ({"CLAUDESCOPE_MAX_WORKFLOWS": "0"}, {}, "CLAUDESCOPE_MAX_WORKFLOWS=0: expected a whole number of at least 1"),
        ({"CLAUDESCOPE_CONSOLE": "perhaps"}, {}, "CLAUDESCOPE_CONSOLE=perhaps: expected true or false"),
        (
            {"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": "x"},
            {},
            "PROMETHEUS_PORT=x: expected",
        ),
        (
            {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "alpha"},
            {"endpoint": "http://c"},
            "TEMPORALITY_PREFERENCE=alpha: expected cumulative, delta or lowmemory",
        ),
        (
            {"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "round"},
            {"endpoint": "http://c"},
            "AGGREGATION=round: expected explicit_bucket_histogram or",
        ),
    ],
)
def test_bad_input(
    variables: dict[str, str], options: dict[str, Any], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error names the invalid value and what was expected, and nothing has been set up."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadInputError) as raised:
        claudescope.configure(**options)
    assert expected in str(raised.value)


@pytest.mark.parametrize(
    ("preference", "counter", "histogram"),
    [("", "CUMULATIVE", "CUMULATIVE"), ("delta", "DELTA", "DELTA"), ("LowMemory", "CUMULATIVE", "DELTA")],
)
def test_temporality_and_histograms(
    preference: str, counter: str, histogram: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The standard preference holds; histograms are exponential unless the environment asks for buckets."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", preference)
    exporter: Any = metric_exporter(ConsoleMetricExporter(), otlp=True)
    assert exporter._preferred_temporality[ObservableCounter] == AggregationTemporality[counter]
    assert exporter._preferred_temporality[Histogram] == AggregationTemporality[histogram]
    assert isinstance(exporter._preferred_aggregation[Histogram], ExponentialBucketHistogramAggregation)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "explicit_bucket_histogram")
    exporter = metric_exporter(ConsoleMetricExporter(), otlp=True)
    assert isinstance(exporter._preferred_aggregation[Histogram], ExplicitBucketHistogramAggregation)


@pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
def test_endpoints_of_http(signal: Any) -> None:
    """A base URL gets the path of its signal, as OpenTelemetry's own variables do."""
    exporter = otlp_exporter(signal, "http://c:4318/").get()
    assert exporter._endpoint == f"http://c:4318/v1/{signal}"
    exporter.shutdown()


def test_the_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name and attributes come from the standard variables, the instance from the process unless it is given."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=checkout")
    found = detect(None).attributes
    assert (found["service.name"], found["team"], found["process.pid"]) == ("shop", "checkout", os.getpid())
    assert found["service.instance.id"] == detect("other").attributes["service.instance.id"]
    assert detect("other").attributes["service.name"] == "other"
    assert not {"process.command_line", "process.command_args", "process.owner"} & set(found)
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=mine")
    assert detect(None).attributes["service.instance.id"] == "mine"


def test_prometheus_alone_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """With only an endpoint for Prometheus, no provider of the process is set; a second call does nothing."""
    monkeypatch.setenv("CLAUDESCOPE_METRICS_PORT", "0")
    before = metrics.get_meter_provider()
    first = claudescope.configure()
    assert claudescope.configure() is first
    assert first.shutdown()
    second = claudescope.configure()
    assert second is not first
    assert metrics.get_meter_provider() is before
    assert second.shutdown()


def test_the_documentation_is_the_tables() -> None:
    """Every variable is in docs/environment.md, as the table has it."""
    page = runpy.run_path(str(_DOCS / "write_environment.py"))["environment_page"]()
    assert (_DOCS / "environment.md").read_text() == page
    assert [setting.name for setting in settings.SETTINGS if f"`{setting.name}`" not in page] == []
