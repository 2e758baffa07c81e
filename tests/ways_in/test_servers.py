"""Prefork servers, real ones, under `claudescope run`: the totals are those of the API's ledger, to the call."""

from __future__ import annotations

import json
import re
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest

from claudescope.simulator import Simulator
from tests.otlp_sink import OtlpSink
from tests.ways_in.conftest import PATIENCE, Commands, wait_for_calls

pytestmark = pytest.mark.timeout(300)

_RUN = (sys.executable, "-m", "claudescope", "run")
_DURATION = "gen_ai.client.operation.duration"


@pytest.mark.release
@pytest.mark.long
def test_gunicorn_terminated_under_load(commands: Commands, api: Simulator, sink: OtlpSink, tmp_path: Path) -> None:
    """Four workers, 2,000 requests, and a SIGTERM when half are answered: every call that was served is exported."""
    file = tmp_path / "report.json"
    exporting = commands.with_variables(
        OTEL_EXPORTER_OTLP_ENDPOINT=sink.http_url, OTEL_TRACES_EXPORTER="none", OTEL_METRIC_EXPORT_INTERVAL="500"
    )
    command = ("--json", file, "--no-report", "--", "gunicorn", "-c", "gunicorn_conf.py", "web:app")
    with exporting.started(*_RUN, *command) as process:
        assert process.stdout is not None
        listening = re.fullmatch(r"port (\d+)\n", process.stdout.readline())
        assert listening is not None
        port = int(listening.group(1))
        answered = 0
        lock = threading.Lock()

        def ask(_: int) -> None:
            nonlocal answered
            connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            try:
                connection.request("GET", "/")
                ok = connection.getresponse().status == 200
            except OSError:
                return  # it is on its way down
            finally:
                connection.close()
            with lock:
                answered += ok
                if answered == 1000:
                    process.send_signal(signal.SIGTERM)

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(ask, range(2000)))
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    served = api.ledger()
    assert 1000 <= answered <= served.messages_billed < 2000
    assert sink.total(_DURATION, outcome="ok") == served.messages_billed
    assert sink.total("gen_ai.client.token.usage", type="output") == served.messages_billed
    assert len({point.instance for point in sink.points(_DURATION)}) == 4
    assert json.loads(file.read_text())["calls"] == served.messages_billed


@pytest.mark.release
@pytest.mark.long
def test_celery_prefork(commands: Commands, api: Simulator, sink: OtlpSink, tmp_path: Path) -> None:
    """Tasks of Celery's pool are seen, and its end delivers them."""
    broker = tmp_path / "broker"
    broker.mkdir()
    exporting = commands.with_variables(
        BROKER_FOLDER=str(broker), OTEL_EXPORTER_OTLP_ENDPOINT=sink.grpc_url, OTEL_EXPORTER_OTLP_PROTOCOL="grpc"
    )
    app = ("--", sys.executable, "-m", "celery", "-A", "tasks")
    with exporting.started(*_RUN, "--no-report", *app, "worker", "-c", "2", "-l", "info", "-P", "prefork") as process:
        assert process.stderr is not None
        with exporting.started(sys.executable, "-c", "import tasks; [tasks.ask.delay() for _ in range(10)]") as asking:
            asking.communicate(timeout=PATIENCE)
        log = ""
        for line in process.stderr:
            log += line
            if log.count("succeeded in") == 10:
                break
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, log
    assert sink.total(_DURATION) == api.ledger().messages_billed == 10, log
    assert len(sink.spans) == 10


@pytest.mark.long
def test_uvicorn_workers_share_an_endpoint(commands: Commands, api: Simulator) -> None:
    """Prometheus gets the sum of uvicorn's workers from one port, and they end as they would have."""
    server = (sys.executable, "-m", "uvicorn", "serve:app", "--workers", "2", "--port", "0")
    command = ("--metrics-port", "0", "--no-report", "--", *server)
    with commands.started(*_RUN, *command) as process:
        assert process.stderr is not None
        metrics = re.search(r"http://127\.0\.0\.1:\d+/metrics", process.stderr.readline())
        listening = re.search(r"http://127\.0\.0\.1:(\d+)", process.stderr.readline())
        assert metrics is not None
        assert listening is not None
        started = 0
        while started < 2:
            started += "Application startup complete" in process.stderr.readline()
        for _ in range(40):
            _get(int(listening.group(1)))
        counted = wait_for_calls(metrics.group(), 40)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert process.returncode in {0, -signal.SIGTERM}
    assert counted == api.ledger().messages_billed == 40


def _get(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/")
    assert connection.getresponse().status == 200
    connection.close()
