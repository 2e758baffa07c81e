"""Collects the calls of all processes of a command, serves them to Prometheus, and reports at the end."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from claudescope._internal import internal_errors
from claudescope.reporting.model import Report
from claudescope.reporting.sink import ReportSink
from claudescope.run.protocol import Message, decode
from claudescope.schema.record import BatchResult, CallRecord, CallStart
from claudescope.sinks.metrics import MetricsSink

__all__ = ["Collector"]

_GRACE: Final = 2.0
"""Seconds to wait for other processes of the command after its first process has ended."""

_POLL: Final = 0.2
"""Seconds between two checks of the command, on systems without an event for its end."""

_EXITING: Final = b'{"exiting": true}'


@dataclass(slots=True, eq=False)
class _Process:
    """A process that reports its calls.

    Attributes:
        connection: Its connection.
        rest: An incomplete line.
        running: Its calls in flight.
    """

    connection: socket.socket
    rest: bytearray = field(default_factory=bytearray)
    running: Counter[CallStart] = field(default_factory=Counter[CallStart])


class Collector:
    """Receives calls until the command has ended.

    Args:
        listener: The socket that reporters connect to.
        command: Process id of the command.
        metrics: The metrics sink for Prometheus; None without an endpoint.
        report: Called with the report once the command has ended.
    """

    def __init__(
        self, listener: socket.socket, command: int, metrics: MetricsSink | None, report: Callable[[Report], None]
    ) -> None:
        self._listener = listener
        self._command = command
        self._metrics = metrics
        self._sums = ReportSink()
        self._report = report
        self._selector = selectors.DefaultSelector()
        self._processes: set[_Process] = set()
        self._waiting: list[socket.socket] = []
        self._ended = False

    def run(self) -> None:
        """Receive calls until the command has ended, then report."""
        listener = self._listener
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ, self._accept)
        exit_event = _exit_event(self._command)
        if exit_event is not None:
            self._selector.register(exit_event, selectors.EVENT_READ, self._end)
        deadline: float | None = None
        while deadline is None or (self._processes and time.monotonic() < deadline):
            wait = _POLL if exit_event is None or deadline is not None else None
            for key, _ in self._selector.select(wait):
                key.data()
            if exit_event is None and not _is_running(self._command):
                self._ended = True
            if self._ended and deadline is None:
                # Data in transit is read first: processes that ended with the command have closed their connections.
                deadline = time.monotonic() + _GRACE
                self._ended = False
                if exit_event is not None:
                    with contextlib.suppress(KeyError):
                        self._selector.unregister(exit_event)
        self._report(self._sums.snapshot())
        for connection in self._waiting:
            connection.close()

    def _end(self) -> None:
        self._ended = True

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            connection, _ = self._listener.accept()
            connection.setblocking(False)
            process = _Process(connection)
            self._processes.add(process)
            self._selector.register(connection, selectors.EVENT_READ, lambda: self._receive(process))

    def _receive(self, process: _Process) -> None:
        try:
            data = process.connection.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(process)
            process.connection.close()
            return
        process.rest += data
        *lines, rest = bytes(process.rest).split(b"\n")
        process.rest = bytearray(rest)
        for line in lines:
            if line == _EXITING:
                # The command waits for its report: closing the connection tells it that the report is printed.
                self._close(process)
                self._waiting.append(process.connection)
                self._ended = True
                return
            self._receive_line(process, line)

    def _close(self, process: _Process) -> None:
        self._processes.discard(process)
        self._selector.unregister(process.connection)
        if self._metrics is not None:
            for start in process.running.elements():
                self._metrics.lost(start)

    def _receive_line(self, process: _Process, line: bytes) -> None:
        try:
            message = decode(line)
            if message is not None:
                self._count(process, message)
        except Exception:  # noqa: BLE001 - an invalid line must not stop the collector
            internal_errors.record("run")

    def _count(self, process: _Process, message: Message) -> None:
        sums, metrics = self._sums, self._metrics
        if isinstance(message, CallStart):
            process.running[message] += 1
            if metrics is not None:
                metrics.started(message)
        elif isinstance(message, CallRecord):
            start = _start_of(message)
            if metrics is not None and not process.running[start]:
                metrics.started(start)  # a fork came between start and end
            process.running -= Counter({start: 1})
            sums.finished(message)
            if metrics is not None:
                metrics.finished(message)
        elif isinstance(message, BatchResult):  # pyright: ignore[reportUnnecessaryIsInstance]
            sums.batch_result(message)
            if metrics is not None:
                metrics.batch_result(message)


def _start_of(record: CallRecord) -> CallStart:
    if record.protection is not None:
        return record.protection.started
    return CallStart(
        operation=record.operation,
        provider=record.provider,
        request_model=record.request_model,
        stream=record.stream,
        server_address=record.server_address,
        workflow=record.workflow,
    )


def _exit_event(pid: int) -> int | None:
    """A descriptor that becomes readable when a process ends; None if the system has none, or it has ended."""
    opened: Callable[[int], int] | None = getattr(os, "pidfd_open", None)
    if opened is None:
        return None
    try:
        return opened(pid)
    except OSError:
        return None


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def leave_session() -> None:
    """Start a new session, so that signals and the terminal of the command don't reach the collector."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
