"""The text of a scrape is that of prometheus-client, and what it says is what OpenTelemetry's own exporter says."""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Callable
from typing import Any

import prometheus_client
import pytest
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.samples import Sample

from claudescope.export import exposition, scraped
from claudescope.export.exposition import ScrapeCollector, make_app
from claudescope.export.scraped import ScrapedMeterProvider
from claudescope.schema.catalogue import CALLS, DURATION
from claudescope.schema.error_types import ERROR_TYPES
from claudescope.sinks.metrics import MetricsSink
from tests.records import make_record

_client: Any = prometheus_client
_ODD = ('quo"te', "new\nline", "back\\slash", "größe", "a,le=", "{x}", "", " ")
_ACCEPTED = (
    "",
    "text/plain;version=0.0.4",
    "text/plain;version=1.0.0;escaping=allow-utf-8",
    "application/openmetrics-text;version=1.0.0",
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8",
    "application/openmetrics-text;version=1.0.0;escaping=dots",
    "application/openmetrics-text;version=1.0.0;escaping=values",
)


class _Endpoint:
    """Everything of an endpoint but the port."""

    def __init__(self, beside: MeterProvider | None = None, max_workflows: int = 100) -> None:
        self.collector = ScrapeCollector()
        resource = Resource({"service.name": 'as"sistant', "process.pid": 7, "host.arch": ""})
        provider = self.collector.provider = ScrapedMeterProvider(resource, beside)
        self.sink = MetricsSink(provider.get_meter("claudescope", "1.0"), max_workflows)
        self.app = make_app(self.collector)

    def get(
        self, accept: str = "", query: str = "", method: str = "GET", encoding: str = ""
    ) -> tuple[str, dict[str, str], bytes]:
        """The status, the headers and the body of an answer."""
        answers: list[tuple[str, dict[str, str]]] = []

        def start(status: str, headers: list[tuple[str, str]]) -> None:
            answers.append((status, dict(headers)))

        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": "/metrics",
            "QUERY_STRING": query,
            "HTTP_ACCEPT": accept,
            "HTTP_ACCEPT_ENCODING": encoding,
        }
        body = b"".join(self.app(environ, start))
        return (*answers[0], body)

    def text(self) -> str:
        """What a scrape says."""
        return self.get()[2].decode()

    def call(self, workflow: str | None = "summarise", **facts: Any) -> None:
        """A call that ended."""
        self.sink.finished(make_record(workflow=workflow, **facts))


def _sum(text: str, name: str) -> float:
    return sum(float(value) for value in re.findall(rf"^{name}\{{.*\}} (\S+)$", text, re.MULTILINE))


@pytest.mark.parametrize("accept", _ACCEPTED)
def test_every_form_is_that_of_prometheus_client(accept: str) -> None:
    """Byte for byte, whatever is in labels, in a first scrape and in later ones with further labels and values."""
    endpoint = _Endpoint()
    registry = CollectorRegistry()
    registry.register(endpoint.collector)
    encoder, content_type = choose_encoder(accept)
    for workflow in (None, *_ODD):
        endpoint.call(workflow)
        endpoint.call(workflow, outcome="error", error_type="api_error", usage=None)
        status, headers, body = endpoint.get(accept)
        assert (status, headers) == ("200 OK", {"Content-Type": content_type})
        assert body == encoder(registry)


def test_it_says_what_opentelemetrys_exporter_says() -> None:
    """Every series, value and heading, for the same calls in the same instruments of OpenTelemetry."""
    registry = CollectorRegistry()
    beside = MeterProvider([PrometheusMetricReader(registry=registry)], Resource({}))
    endpoint = _Endpoint(beside)
    for duration in (0.001, 0.01, 0.011, 5.0, 1310.72, 5000.0):
        endpoint.call(duration=duration)
        endpoint.call("translate", outcome="error", error_type="rate_limited", duration=duration, usage=None)
    endpoint.call(cost_usd=None, rate_limits={})

    def lines(text: str) -> set[str]:
        """Each line, without labels that have no value, which are none."""
        found = (re.sub(r',?\w+=""', "", line).replace("{,", "{") for line in text.splitlines())
        return {line for line in found if not line.startswith(("target_info", "claudescope_process_start"))}

    assert lines(endpoint.text()) == lines(_client.generate_latest(registry).decode())
    beside.shutdown()


def test_a_scrape_is_compressed_where_the_server_wants_that() -> None:
    """The compressed body is the same text."""
    endpoint = _Endpoint()
    endpoint.call()
    _, headers, body = endpoint.get(encoding="deflate, gzip")
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == endpoint.get()[2]


def test_some_metrics_and_other_methods_are_prometheus_clients() -> None:
    """`name[]` selects series, and only GET is answered."""
    endpoint = _Endpoint()
    endpoint.call()
    chosen = endpoint.get(query="name[]=claude_client_calls_total")[2].decode()
    assert {line.partition("{")[0] for line in chosen.splitlines() if line[0] != "#"} == {CALLS.prometheus}
    assert endpoint.get(method="POST")[0].startswith("405")
    assert endpoint.get(method="OPTIONS")[1]["Allow"] == "OPTIONS,GET"


def test_nothing_is_lost_above_the_limit_of_a_histogram(monkeypatch: pytest.MonkeyPatch) -> None:
    """Further combinations share a series of the histogram, as OpenTelemetry's do; counters keep their labels."""
    monkeypatch.setattr(scraped, "MAX_SERIES", 100)
    endpoint = _Endpoint()
    calls = 0
    for workflow in range(20):
        for error_type in list(ERROR_TYPES)[:12]:
            endpoint.call(f"w{workflow}", outcome="error", error_type=error_type, usage=None)
            calls += 1
    text = endpoint.text()
    assert _sum(text, f"{DURATION.prometheus}_count") == calls
    assert _sum(text, CALLS.prometheus) == calls
    assert text.count(f"{DURATION.prometheus}_count{{") == 100
    assert text.count('otel_metric_overflow="true"') == len(DURATION.buckets) + 3
    failed = [line for line in text.splitlines() if line.startswith(CALLS.prometheus) and line.endswith(" 1.0")]
    assert len(failed) == calls


def test_labels_are_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """prometheus-client, whose text of labels is what a large scrape costs, sees each label in the first one only."""
    asked: list[str] = []

    def sample(*parts: Any) -> Sample:
        asked.append(parts[0])
        return Sample(*parts)

    monkeypatch.setattr(exposition, "Sample", sample)
    endpoint = _Endpoint()
    for workflow in range(20):
        endpoint.call(f"w{workflow}")
    endpoint.text()
    first = len(asked)
    for _ in range(3):
        endpoint.call("w3")
        endpoint.text()
    assert first > 0
    assert len(asked) == first


def test_a_scrape_during_calls_never_goes_back() -> None:
    """While threads record, the buckets of a series and their count agree, and no count falls."""
    endpoint = _Endpoint()
    stop = threading.Event()

    def record() -> None:
        while not stop.is_set():
            endpoint.call()

    threads = [threading.Thread(target=record) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        before = 0.0
        for _ in range(15):
            text = endpoint.text()
            count = _sum(text, f"{DURATION.prometheus}_count")
            last = re.findall(rf'{DURATION.prometheus}_bucket{{.*le="\+Inf".*}} (\S+)', text)
            assert sum(map(float, last)) == count >= before
            before = count
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_negative_amount_is_no_measurement() -> None:
    """A histogram ignores it, as OpenTelemetry's does: a clock may go back."""
    endpoint = _Endpoint()
    endpoint.call(duration=-1.0)
    assert f"{DURATION.prometheus}_count" not in endpoint.text()


def test_an_endpoint_without_calls_answers() -> None:
    """Before a provider is there, and before the first call."""
    collector = ScrapeCollector()
    started: list[str] = []
    make: Callable[..., Any] = make_app(collector)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/metrics"}
    assert b"".join(make(environ, lambda status, _: started.append(status))) == b""
    assert started == ["200 OK"]
    assert "target_info{" in _Endpoint().text()
