"""Metrics as the app sends them by default, over OTLP to Prometheus 3: native histograms, in every panel and rule."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.alerts.conftest import default_build
from tests.components import require
from tests.dashboards.api import Store
from tests.dashboards.conftest import default_dashboards
from tests.dashboards.panel_queries import empty_panels
from tests.servers import run_server, wait_for

_APP = Path(__file__).with_name("apps") / "calls.py"
_SECONDS = 45

_NEVER_HAPPENED = re.compile(
    r".*: (Firing alerts: A|annotation: Firing (pages|tickets))"  # alerts wait for longer than the test runs
    r"|.* vs\. baseline: B|claude:\w+:baseline"  # needs three days of history
    r"|.*: (Server tool uses|Batch results|Internal errors by component|Dropped Sentry events): A"
)
"""Panels and recorded series of what does not happen within a minute of calls."""


@contextmanager
def _prometheus(folder: Path) -> Generator[Store]:
    """Run Prometheus with its OTLP receiver and the default rules, which it evaluates every two seconds."""
    rules = folder / "rules"
    rules.mkdir()
    for name, text in default_build().items():
        if name.startswith("rules/"):
            (rules / Path(name).name).write_text(text, encoding="utf-8")
    config = {
        "global": {"evaluation_interval": "2s"},
        "rule_files": ["rules/*.yml"],
        "storage": {"tsdb": {"out_of_order_time_window": "10m"}},
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command: list[str | Path] = [
        require("go", "prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--web.listen-address=127.0.0.1:0",
        "--web.enable-otlp-receiver",
    ]
    log = folder / "server.log"
    with run_server(command, log) as url:
        store = Store(url)
        wait_for("Prometheus is ready", store.is_ready, log)
        yield store


@pytest.mark.release
@pytest.mark.long
@pytest.mark.timeout(300)
def test_every_panel_and_rule_has_data(tmp_path: Path) -> None:
    """`configure()` sends exponential histograms: nothing is missing but what never happened, and ratios are right."""
    with _prometheus(tmp_path) as store:
        environment = {
            **os.environ,
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{store.url}/api/v1/otlp/v1/metrics",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
            "OTEL_SERVICE_NAME": "assistant",
        }
        command = [sys.executable, str(_APP), str(_SECONDS)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=200)  # noqa: S603 # ours
        assert done.returncode == 0, done.stderr[-3000:]
        assert store.instant('count({__name__=~"gen_ai.+_bucket"})') == []
        _, empty = empty_panels(store, default_dashboards(), scrape=1, seconds=300)
        recorded = {
            series["metric"]["__name__"]
            for series in store.instant('count by (__name__) ({__name__=~"claude_?[a-z]*:.+"})')
        }
        rules = "".join(text for name, text in default_build().items() if name.startswith("rules/"))
        missing = sorted(set(re.findall(r"record: (\S+)", rules)) - recorded)
        assert [name for name in (*empty, *missing) if not _NEVER_HAPPENED.fullmatch(name)] == []
        truth = json.loads(done.stdout)
        counted = {
            series["metric"]["claude_outcome"]: float(series["value"][1])
            for series in store.instant("sum by (claude_outcome) (claude_client_calls_total)")
        }
        assert counted == truth["outcomes"]
        # `rate` does not know what happened before the first export.
        bad = truth["outcomes"]["error"] + sum(truth["retries"].values())
        right = bad / (truth["outcomes"]["ok"] + bad)
        ((_, value),) = [series["value"] for series in store.instant('claude_slo:error_ratio:rate5m{slo="first-try"}')]
        assert abs(float(value) - right) < 0.1
