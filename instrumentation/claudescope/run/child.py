"""Starts claudescope in a process of a command under `claudescope run`."""

from __future__ import annotations

import atexit
import os
from typing import ClassVar

from claudescope._internal.waiting import PatchableLock
from claudescope.export import is_configured, prepare
from claudescope.export.from_environment import instrument_from_environment
from claudescope.export.telemetry import Telemetry
from claudescope.lifecycle import attach, give_way
from claudescope.run.reporter import Reporter
from claudescope.schema.record import CallStart
from claudescope.sinks import Sink

__all__ = ["start"]


class _AtFirstCall(Sink):
    """Sets the providers that the app has not set, at its first call, when the app has set its own."""

    name: ClassVar[str] = "run"

    def __init__(self, telemetry: Telemetry) -> None:
        self._waiting: Telemetry | None = telemetry
        self._lock = PatchableLock()

    def started(self, start: CallStart) -> None:
        """Start to export before the first call creates its span."""
        if self._waiting is not None:
            self._begin(start)

    def _begin(self, start: CallStart) -> None:
        with self._lock.held():
            telemetry = self._waiting
            try:
                if telemetry is None or is_configured():
                    return  # another thread or the app itself has started to export
                telemetry.start()
                if telemetry.metrics_sink is not None:
                    telemetry.metrics_sink.started(start)
            finally:
                self._waiting = None


def start() -> None:
    """Instrument the SDK, send every call to the collector, and export to what the environment sets."""
    _, _, address = os.environ.get("_CLAUDESCOPE_RUN", "").partition(":")
    if not address:
        return
    instrument_from_environment()
    give_way()
    reporter = Reporter(address)
    attach(reporter)
    atexit.register(reporter.close)
    telemetry = prepare(console=False)
    if not telemetry.is_empty:
        telemetry.install_exit_handler()
        attach(_AtFirstCall(telemetry))
