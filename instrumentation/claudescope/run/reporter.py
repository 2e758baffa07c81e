"""Sends every call to the collector at once, so that a crash does not lose calls that have ended."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import ClassVar, Final

from opentelemetry.context import Context

from claudescope._internal import internal_errors
from claudescope._internal.fork import renew_in_child, run_in_child
from claudescope.run.protocol import Message, encode
from claudescope.schema.record import BatchResult, CallRecord, CallStart
from claudescope.sinks import Sink

__all__ = ["Reporter"]

_MAX_UNSENT: Final = 4 * 1024 * 1024
"""Most bytes that wait for a slow collector. Further calls are dropped and counted as internal errors."""


class Reporter(Sink):
    """Sends calls to the collector. Never blocks: what does not go out at once goes with the next, or at the exit.

    Args:
        address: Path of the collector's socket.
    """

    name: ClassVar[str] = "run"

    def __init__(self, address: str) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        renew_in_child(self, "_lock")
        self._reset()
        run_in_child(self, lambda reporter: reporter._reset())  # noqa: SLF001 - it is this object

    def _reset(self) -> None:
        """Start without connection and data. A forked child must not use those of its parent."""
        self._unsent = bytearray()
        self._closed = False
        self._is_flushing = False
        self._disconnect()

    def started(self, start: CallStart) -> None:
        """Send that a call has started."""
        self._send_message(start)

    def finished(self, record: CallRecord, context: Context | None = None) -> None:
        """Send a finished call."""
        self._send_message(record)

    def batch_result(self, result: BatchResult) -> None:
        """Send a result of a message batch."""
        self._send_message(result)

    def flush(self, timeout: float = 2.0) -> None:
        """Send waiting data, for at most `timeout` seconds."""
        with self._lock:
            if self._unsent and self._socket is None:
                self._send()
            connection = self._socket
            if connection is None or not self._unsent or self._is_flushing:
                return
            self._is_flushing = True
            data = bytes(self._unsent)
            self._unsent.clear()
        # Without the lock, which would stop a process that gevent has patched: other greenlets run meanwhile.
        connection.settimeout(timeout)
        with contextlib.suppress(OSError):
            connection.sendall(data)
        connection.setblocking(False)
        with self._lock:
            self._is_flushing = False
            self._send()

    def close(self) -> None:
        """Send waiting data, and disconnect."""
        self.flush()
        self._closed = True
        self._disconnect()

    def _connected(self) -> bool:
        if self._socket is None:
            return False
        try:
            self._socket.getpeername()
        except OSError:
            return False
        return True

    def _disconnect(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send_message(self, message: Message) -> None:
        line = encode(message)
        with self._lock:
            if self._closed:
                return
            if len(self._unsent) + len(line) > _MAX_UNSENT:
                raise BufferError("the collector does not keep up")
            self._unsent += line
            if not self._is_flushing:
                self._send()

    def _send(self) -> None:
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX)
                self._socket.setblocking(False)
                self._socket.connect(self._address)
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            if not self._connected():
                self._disconnect()  # too many connect at once: the next call tries again
        except OSError:
            # The collector has ended.
            self._closed = True
            self._unsent.clear()
            self._disconnect()
            internal_errors.record(self.name)
