"""Real backends take what `configure` sends, and answer the questions that dashboards ask."""

from __future__ import annotations

import json
import math
import urllib.parse
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from anthropic import Anthropic

import claudescope
from claudescope.export.telemetry import Telemetry
from claudescope.simulator import Simulator
from tests.alerts.conftest import program
from tests.servers import run_server, wait_for

pytestmark = pytest.mark.timeout(300)

_MODELS = {"claude-haiku-5-5", "claude-opus-5-5"}
_P95 = (
    "histogram_quantile(0.95, sum by (gen_ai_request_model, {bucket}) "
    "(rate(gen_ai_client_operation_duration_seconds_bucket[1m])))"
)


@contextmanager
def _configured(**options: Any) -> Generator[Telemetry]:
    telemetry = claudescope.configure(console=False, **options)
    try:
        yield telemetry
    finally:
        telemetry.shutdown()


def _asker(api: Simulator) -> Callable[[], None]:
    client = Anthropic(base_url=api.url, api_key="simulated")

    def ask() -> None:
        for model in _MODELS:
            client.messages.create(model=model, max_tokens=5, messages=[{"role": "user", "content": "Hello"}])

    return ask


def _answers(url: str, query: str) -> dict[str, float]:
    """What a backend answers, by model."""
    parameters = urllib.parse.urlencode({"query": query})
    with urllib.request.urlopen(f"{url}/api/v1/query?{parameters}") as response:  # noqa: S310 - loopback
        result = json.load(response)["data"]["result"]
    return {each["metric"].get("gen_ai_request_model", ""): float(each["value"][1]) for each in result}


def _p95_by_model(url: str, bucket: str, ask: Callable[[], None]) -> dict[str, float]:
    def answered() -> bool:
        ask()
        answers = _answers(url, query)
        return set(answers) == _MODELS and not any(map(math.isnan, answers.values()))  # NaN before two scrapes

    query = _P95.format(bucket=bucket)
    wait_for("p95 by model", answered)
    return _answers(url, query)


def test_prometheus_scrapes(api: Simulator, tmp_path: Path) -> None:
    """The oldest Prometheus that is supported scrapes the endpoint and answers p95 by model."""
    with _configured(prometheus_port=0) as telemetry:
        target = str(telemetry.metrics_url).removeprefix("http://").removesuffix("/metrics")
        config = tmp_path / "prometheus.yml"
        scrape = {"job_name": "app", "scrape_interval": "200ms", "static_configs": [{"targets": [target]}]}
        config.write_text(json.dumps({"scrape_configs": [scrape]}))
        command: list[str | Path] = [program("bookworm", "prometheus"), f"--config.file={config}"]
        command += [f"--storage.tsdb.path={tmp_path / 'data'}", "--web.listen-address=127.0.0.1:0"]
        with run_server(command, tmp_path / "log") as url:
            p95 = _p95_by_model(url, "le", _asker(api))
            assert all(0 < seconds < 20 for seconds in p95.values())
            by_model = "sum by (gen_ai_request_model) (gen_ai_client_operation_duration_seconds_count)"
            billed = api.ledger().messages_billed
            wait_for("all calls", lambda: sum(_answers(url, by_model).values()) == billed)


@pytest.mark.release
def test_victoria_metrics_takes_otlp(api: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """VictoriaMetrics takes exponential histograms over OTLP, and knows every call."""
    command: list[str | Path] = [program("sid", "victoria-metrics"), f"-storageDataPath={tmp_path / 'data'}"]
    command += ["-httpListenAddr=127.0.0.1:0", "-opentelemetry.usePrometheusNaming", "-search.latencyOffset=0s"]
    with run_server(command, tmp_path / "log") as url:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", f"{url}/opentelemetry/v1/metrics")
        with _configured(service_name="shop") as telemetry:
            ask = _asker(api)

            def ask_and_send() -> None:
                ask()
                assert telemetry.flush(30)

            p95 = _p95_by_model(f"{url}/prometheus", "vmrange", ask_and_send)
            assert all(0 < seconds < 20 for seconds in p95.values())
            by_model = "sum by (gen_ai_request_model) (gen_ai_client_operation_duration_seconds_count)"
            billed = api.ledger().messages_billed
            wait_for("all calls", lambda: sum(_answers(f"{url}/prometheus", by_model).values()) == billed)
