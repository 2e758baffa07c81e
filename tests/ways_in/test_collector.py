"""The reporter and the collector of `claudescope run` in one process: every reported call is counted."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from claudescope._internal import internal_errors
from claudescope.reporting.model import Report
from claudescope.run.collector import Collector
from claudescope.run.protocol import decode, encode
from claudescope.run.reporter import Reporter
from claudescope.schema.record import Attempt, BatchResult, CallStart, RateLimit, Usage
from claudescope.sinks.metrics import MetricsSink
from tests.records import make_record

_START = CallStart("chat", "anthropic", "claude-haiku-5-5", False, "api.anthropic.com", None)
_RECORD = make_record(request_model=_START.request_model, stream=_START.stream, workflow=_START.workflow)
_BATCH = BatchResult("anthropic", None, "errored", "api_error", None, None, None, "w", "api.anthropic.com")


def test_messages_lose_nothing() -> None:
    """Every value of every message is the same after decoding."""
    full = replace(
        _RECORD,
        started_at=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc),
        attempts=(Attempt("rate_limit_error", 429, 1.5, 1.4, "req_1"), Attempt(status_code=200, request_id="req_2")),
        usage=Usage(10, 5, 4, 3, 2, 1, {"web_search": 2}, "standard", "fast"),
        cost_usd=Decimal("0.000000000000123"),
        rate_limits={"requests": RateLimit(10, 9, "2026-01-01T00:00:00Z"), "tokens": RateLimit()},
        workflow="Zusammenfassung\n",
    )
    for message in (_START, _RECORD, full, _BATCH, replace(_BATCH, usage=Usage(1), cost_usd=Decimal(1))):
        line = encode(message)
        assert line.count(b"\n") == 1
        assert decode(line) == message
    assert decode(b'{"exiting": true}') is None


@pytest.mark.parametrize("line", [b"nonsense", b'{"call": {}}', b'{"call": 1}', b'{"start": {"other": 1}}', b"7"])
def test_invalid_messages(line: bytes) -> None:
    """A line of another version is rejected."""
    with pytest.raises(ValueError, match="not a message of this version"):
        decode(line)


@contextmanager
def _collecting(folder: Path) -> Generator[tuple[Path, MetricsSink, InMemoryMetricReader, list[Report]]]:
    """A collector for a command that ends when the block does."""
    address = folder / "calls"
    reports: list[Report] = []
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    metrics = MetricsSink(provider.get_meter("test"))
    command = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen()
        collector = Collector(listener, command.pid, metrics, reports.append)
        thread = threading.Thread(target=collector.run)
        thread.start()
        try:
            yield address, metrics, reader, reports
        finally:
            command.communicate(b"\n")
            thread.join()
    provider.shutdown()


def _value(reader: InMemoryMetricReader, name: str) -> float:
    data = reader.get_metrics_data()
    points: list[Any] = [
        point
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
        for point in metric.data.data_points
    ]
    return sum(float(point.count if hasattr(point, "count") else point.value) for point in points)


def test_every_reported_call_is_counted(tmp_path: Path) -> None:
    """Calls of two processes are added up, an invalid line is an internal error, and calls end with their process."""
    before = internal_errors.counts().get("run", 0)
    with _collecting(tmp_path) as (address, _, reader, reports):
        first, second = Reporter(str(address)), Reporter(str(address))
        for reporter in (first, second):
            reporter.started(_START)
            reporter.finished(_RECORD)
        first.batch_result(_BATCH)
        first.started(_START)  # its end is never reported
        second.finished(_RECORD)  # the process that forked this one reported its start
        assert second._socket is not None
        second._socket.setblocking(True)
        second._socket.sendall(b"nonsense\n")
        for reporter in (first, second):
            reporter.close()
    assert [report.calls for report in reports] == [3]
    assert _value(reader, "gen_ai.client.operation.duration") == 3
    assert _value(reader, "claude.client.batch.results") == 1
    assert _value(reader, "claude.client.active_calls") == 0
    assert internal_errors.counts()["run"] == before + 1


def test_the_command_waits_for_the_report(tmp_path: Path) -> None:
    """The collector closes the connection of an exiting command once the report is printed, and not before."""
    with _collecting(tmp_path) as (address, _, _, reports):
        reporter = Reporter(str(address))
        reporter.finished(_RECORD)
        with socket.socket(socket.AF_UNIX) as waiting:
            waiting.connect(str(address))
            waiting.sendall(b'{"exiting": true}\n')
            reporter.close()
            assert waiting.recv(1) == b""
            assert [report.calls for report in reports] == [1]


def test_without_a_collector(tmp_path: Path) -> None:
    """Without a collector there is one internal error, and no further attempt."""
    before = internal_errors.counts().get("run", 0)
    reporter = Reporter(str(tmp_path / "nobody"))
    reporter.started(_START)
    reporter.finished(_RECORD)
    assert internal_errors.counts()["run"] == before + 1
    reporter.flush()


def test_a_slow_collector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing blocks: data waits up to a limit and is sent later. Beyond the limit it is dropped."""
    monkeypatch.setattr("claudescope.run.reporter._MAX_UNSENT", 300_000)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "calls"))
        listener.listen()
        reporter = Reporter(str(tmp_path / "calls"))
        sent = 0
        with contextlib.suppress(BufferError):
            while sent < 10_000:
                reporter.finished(_RECORD)
                sent += 1
        connection, _ = listener.accept()
        received = bytearray()

        def receive() -> None:
            while data := connection.recv(1 << 16):
                received.extend(data)

        thread = threading.Thread(target=receive)
        thread.start()
        reporter.flush(30)
        reporter.close()
        thread.join()
        connection.close()
    assert sent < 10_000
    assert received == encode(_RECORD) * sent
