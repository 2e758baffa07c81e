"""Tells the watcher of every call as it happens, so that no way to die loses what has ended before."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import ClassVar, Final

from opentelemetry.context import Context

from claudescope._internal import internal_errors
from claudescope._internal.fork import renew_in_child, run_in_child
from claudescope.run.protocol import Fact, write
from claudescope.schema.record import BatchResult, CallRecord, CallStart
from claudescope.sinks import Sink

__all__ = ["Link"]

_MAX_UNSENT: Final = 4 * 1024 * 1024
"""Bytes kept where the watcher does not keep up; beyond that calls are dropped and counted as faults."""


class Link(Sink):
    """Sends calls to the watcher. Never blocks: what does not go out at once goes with the next, or at the exit.

    Args:
        address: Path of the watcher's socket.
    """

    name: ClassVar[str] = "run"

    def __init__(self, address: str) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        renew_in_child(self, "_lock")
        self._begin()
        run_in_child(self, lambda reporter: reporter._begin())  # noqa: SLF001 - it is this object

    def _begin(self) -> None:
        """Start with nothing, as a forked child must: the connection and what is unsent are its parent's."""
        self._unsent = bytearray()
        self._gone = False
        self._hang_up()

    def started(self, start: CallStart) -> None:
        """Tell of a call that has started."""
        self._tell(start)

    def finished(self, record: CallRecord, context: Context | None = None) -> None:
        """Tell of a call that has ended."""
        self._tell(record)

    def batch_result(self, result: BatchResult) -> None:
        """Tell of a result of a message batch."""
        self._tell(result)

    def flush(self, timeout: float = 2.0) -> None:
        """Send what is unsent, waiting for `timeout` seconds at most."""
        with self._lock:
            if self._unsent and self._socket is None:
                self._send()
            link = self._socket
            if link is not None and self._unsent:
                link.settimeout(timeout)
                with contextlib.suppress(OSError):
                    link.sendall(self._unsent)
                    self._unsent.clear()
                link.setblocking(False)

    def close(self) -> None:
        """Send what is unsent, and tell no more."""
        self.flush()
        self._gone = True
        self._hang_up()

    def _connected(self) -> bool:
        if self._socket is None:
            return False
        try:
            self._socket.getpeername()
        except OSError:
            return False
        return True

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _tell(self, fact: Fact) -> None:
        line = write(fact)
        with self._lock:
            if self._gone:
                return
            if len(self._unsent) + len(line) > _MAX_UNSENT:
                raise BufferError("the watcher does not keep up")
            self._unsent += line
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
                self._hang_up()  # many connect at once: the next call tries again
        except OSError:
            # The watcher is gone, and with it whoever would read this.
            self._gone = True
            self._unsent.clear()
            self._hang_up()
            internal_errors.record(self.name)
