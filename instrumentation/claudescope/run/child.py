"""Starts claudescope in a process of a command under `claudescope run`."""

from __future__ import annotations

import atexit
import logging
import os
from importlib import import_module
from typing import ClassVar, Final

from claudescope import settings
from claudescope._internal.exceptions import BadInputError, MissingExtraError
from claudescope._internal.waiting import PatchableLock
from claudescope.export import is_configured, prepare
from claudescope.export.from_environment import instrument_from_environment
from claudescope.export.telemetry import Telemetry
from claudescope.lifecycle import attach, give_way
from claudescope.run.reporter import Reporter
from claudescope.schema.record import CallStart
from claudescope.sinks import Sink

__all__ = ["start"]

_log: Final = logging.getLogger("claudescope")


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


def _protect() -> None:
    try:
        # By its name: an app without a policy needs nothing of it, and the core does not depend on it.
        import_module("claudescope.resilience").protect()
    except (BadInputError, MissingExtraError) as error:
        # The command line has read the policy: this is what only the app's own environment shows.
        _log.warning("claudescope: calls are not protected: %s", error)


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
    if settings.POLICY.read() is not None:
        _protect()
    telemetry = prepare(console=False)
    if not telemetry.is_empty:
        telemetry.install_exit_handler()
        attach(_AtFirstCall(telemetry))
