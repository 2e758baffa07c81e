"""Sums up the calls of all processes of a command, serves them to Prometheus, and reports when it has ended."""

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
from claudescope.run.protocol import Fact, read
from claudescope.schema.record import BatchResult, CallRecord, CallStart
from claudescope.sinks.metrics import MetricsSink

__all__ = ["Watcher"]

_GRACE: Final = 2.0
"""Seconds that the other processes of a command have to end once its first one has."""

_POLL: Final = 0.2
"""Seconds between two looks at the command where the system can't say when it ends."""

_LEAVING: Final = b'{"leaving": true}'


@dataclass(slots=True, eq=False)
class _Process:
    """A process that tells of its calls.

    Attributes:
        link: Its connection.
        rest: The beginning of a line whose end has not come.
        running: Its calls in flight.
    """

    link: socket.socket
    rest: bytearray = field(default_factory=bytearray)
    running: Counter[CallStart] = field(default_factory=Counter[CallStart])


class Watcher:
    """Listens until the command has ended.

    Args:
        listener: Where processes connect to.
        command: Process id of the command.
        metrics: What counts the calls for Prometheus; None for nobody.
        report: Gets the report once the command has ended.
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

    def watch(self) -> None:
        """Listen until the command has ended, then report."""
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
            if exit_event is None and not _is_there(self._command):
                self._ended = True
            if self._ended and deadline is None:
                # What is on its way is read first: those that ended with the command have closed their links.
                deadline = time.monotonic() + _GRACE
                self._ended = False
                if exit_event is not None:
                    with contextlib.suppress(KeyError):
                        self._selector.unregister(exit_event)
        self._report(self._sums.snapshot())
        for link in self._waiting:
            link.close()

    def _end(self) -> None:
        self._ended = True

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            link, _ = self._listener.accept()
            link.setblocking(False)
            process = _Process(link)
            self._processes.add(process)
            self._selector.register(link, selectors.EVENT_READ, lambda: self._receive(process))

    def _receive(self, process: _Process) -> None:
        try:
            data = process.link.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(process)
            process.link.close()
            return
        process.rest += data
        *lines, rest = bytes(process.rest).split(b"\n")
        process.rest = bytearray(rest)
        for line in lines:
            if line == _LEAVING:
                # The command waits for its report, with the link as the bell.
                self._close(process)
                self._waiting.append(process.link)
                self._ended = True
                return
            self._hear(process, line)

    def _close(self, process: _Process) -> None:
        self._processes.discard(process)
        self._selector.unregister(process.link)
        if self._metrics is not None:
            for start in process.running.elements():
                self._metrics.lost(start)

    def _hear(self, process: _Process, line: bytes) -> None:
        try:
            fact = read(line)
            if fact is not None:
                self._count(process, fact)
        except Exception:  # noqa: BLE001 - one bad line must not end the count
            internal_errors.record("run")

    def _count(self, process: _Process, fact: Fact) -> None:
        sums, metrics = self._sums, self._metrics
        if isinstance(fact, CallStart):
            process.running[fact] += 1
            if metrics is not None:
                metrics.started(fact)
        elif isinstance(fact, CallRecord):
            start = _start_of(fact)
            if metrics is not None and not process.running[start]:
                metrics.started(start)  # the fork came between
            process.running -= Counter({start: 1})
            sums.finished(fact)
            if metrics is not None:
                metrics.finished(fact)
        elif isinstance(fact, BatchResult):  # pyright: ignore[reportUnnecessaryIsInstance]
            sums.batch_result(fact)
            if metrics is not None:
                metrics.batch_result(fact)


def _start_of(record: CallRecord) -> CallStart:
    return CallStart(
        operation=record.operation,
        provider=record.provider,
        request_model=record.request_model,
        stream=record.stream,
        server_address=record.server_address,
        workflow=record.workflow,
    )


def _exit_event(pid: int) -> int | None:
    """A descriptor that can be read once a process has ended; None where the system has none, or it has ended."""
    opened: Callable[[int], int] | None = getattr(os, "pidfd_open", None)
    if opened is None:
        return None
    try:
        return opened(pid)
    except OSError:
        return None


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def stand_aside() -> None:
    """Leave the command's session, so that no signal and no terminal of its reaches the watcher."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
