"""The link and the watcher of `claudescope run`, in one process: what is told is what is counted."""

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
from claudescope.run.collector import Watcher
from claudescope.run.protocol import read, write
from claudescope.run.reporter import Link
from claudescope.schema.record import Attempt, BatchResult, CallStart, RateLimit, Usage
from claudescope.sinks.metrics import MetricsSink
from tests.records import make_record

_START = CallStart("chat", "anthropic", "claude-haiku-5-5", False, "api.anthropic.com", None)
_RECORD = make_record(request_model=_START.request_model, stream=_START.stream, workflow=_START.workflow)
_BATCH = BatchResult("anthropic", None, "errored", "api_error", None, None, None, "w", "api.anthropic.com")


def test_messages_lose_nothing() -> None:
    """Every fact of every kind of message comes back as it was."""
    full = replace(
        _RECORD,
        started_at=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc),
        attempts=(Attempt("rate_limit_error", 429, 1.5, 1.4, "req_1"), Attempt(status_code=200, request_id="req_2")),
        usage=Usage(10, 5, 4, 3, 2, 1, {"web_search": 2}, "standard", "fast"),
        cost_usd=Decimal("0.000000000000123"),
        rate_limits={"requests": RateLimit(10, 9, "2026-01-01T00:00:00Z"), "tokens": RateLimit()},
        workflow="Zusammenfassung\n",
    )
    for fact in (_START, _RECORD, full, _BATCH, replace(_BATCH, usage=Usage(1), cost_usd=Decimal(1))):
        line = write(fact)
        assert line.count(b"\n") == 1
        assert read(line) == fact
    assert read(b'{"leaving": true}') is None


@pytest.mark.parametrize("line", [b"nonsense", b'{"call": {}}', b'{"call": 1}', b'{"start": {"other": 1}}', b"7"])
def test_what_is_no_message(line: bytes) -> None:
    """What another version might say is refused, and never taken for something else."""
    with pytest.raises(ValueError, match="no message of this version"):
        read(line)


@contextmanager
def _watching(folder: Path) -> Generator[tuple[Path, MetricsSink, InMemoryMetricReader, list[Report]]]:
    """A watcher of a command that ends when the block does."""
    address = folder / "calls"
    reports: list[Report] = []
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    metrics = MetricsSink(provider.get_meter("test"))
    command = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen()
        watcher = Watcher(listener, command.pid, metrics, reports.append)
        thread = threading.Thread(target=watcher.watch)
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


def test_what_is_told_is_counted(tmp_path: Path) -> None:
    """Calls of two processes are one sum, a bad line is a fault, and calls end with their process."""
    before = internal_errors.counts().get("run", 0)
    with _watching(tmp_path) as (address, _, reader, reports):
        first, second = Link(str(address)), Link(str(address))
        for link in (first, second):
            link.started(_START)
            link.finished(_RECORD)
        first.batch_result(_BATCH)
        first.started(_START)  # and is never heard of again
        second.finished(_RECORD)  # its start was told by the process that forked this one
        assert second._socket is not None
        second._socket.setblocking(True)
        second._socket.sendall(b"nonsense\n")
        for link in (first, second):
            link.close()
    assert [report.calls for report in reports] == [3]
    assert _value(reader, "gen_ai.client.operation.duration") == 3
    assert _value(reader, "claude.client.batch.results") == 1
    assert _value(reader, "claude.client.active_calls") == 0
    assert internal_errors.counts()["run"] == before + 1


def test_who_leaves_gets_the_report_first(tmp_path: Path) -> None:
    """The command's process that says it is leaving hears from the watcher once the report is out, and not before."""
    with _watching(tmp_path) as (address, _, _, reports):
        link = Link(str(address))
        link.finished(_RECORD)
        with socket.socket(socket.AF_UNIX) as bell:
            bell.connect(str(address))
            bell.sendall(b'{"leaving": true}\n')
            link.close()
            assert bell.recv(1) == b""
            assert [report.calls for report in reports] == [1]


def test_a_watcher_that_is_gone(tmp_path: Path) -> None:
    """Where nobody listens, the link says so once and costs nothing more."""
    before = internal_errors.counts().get("run", 0)
    link = Link(str(tmp_path / "nobody"))
    link.started(_START)
    link.finished(_RECORD)
    assert internal_errors.counts()["run"] == before + 1
    link.flush()


def test_a_watcher_that_does_not_keep_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing blocks: what does not go out waits up to a bound, goes later, and is dropped beyond."""
    monkeypatch.setattr("claudescope.run.reporter._MAX_UNSENT", 300_000)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "calls"))
        listener.listen()
        link = Link(str(tmp_path / "calls"))
        told = 0
        with contextlib.suppress(BufferError):
            while told < 10_000:
                link.finished(_RECORD)
                told += 1
        connection, _ = listener.accept()
        received = bytearray()

        def receive() -> None:
            while data := connection.recv(1 << 16):
                received.extend(data)

        thread = threading.Thread(target=receive)
        thread.start()
        link.flush(30)
        link.close()
        thread.join()
        connection.close()
    assert told < 10_000
    assert received == write(_RECORD) * told
