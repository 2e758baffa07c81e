"""For the tests of apps that use claudescope: see the calls that a block of code makes.

    with capture_calls() as calls:
        app.summarise(text)
    assert [call.outcome for call in calls] == ["ok"]

`claudescope.testing.fixtures` has the same as pytest fixtures, and a simulator of the API.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import ClassVar

from opentelemetry.context import Context

from claudescope.lifecycle import active_probe, instrument, uninstrument
from claudescope.probe import flush
from claudescope.schema.record import CallRecord
from claudescope.sinks import Sink

__all__ = ["capture_calls"]


class _Capture(Sink):
    name: ClassVar[str] = "capture"

    def __init__(self) -> None:
        self.calls: list[CallRecord] = []

    def finished(self, record: CallRecord, context: Context | None = None) -> None:
        self.calls.append(record)


@contextmanager
def capture_calls() -> Generator[list[CallRecord], None, None]:
    """Collect the record of every call that ends inside the block, in any thread or task.

    Switches claudescope on for the block where it is not on already.

    Yields:
        The records so far, in the order in which the calls ended. Complete once the block is left: a stream that
        was dropped is recorded a moment later, and leaving the block waits for it.

    Raises:
        MissingExtraError: The `anthropic` SDK is not installed.
    """
    was_on = active_probe() is not None
    instrument()
    probe = active_probe()
    capture = _Capture()
    if probe is not None:
        probe.add(capture)
    try:
        yield capture.calls
    finally:
        flush()
        if probe is not None:
            probe.discard(capture)
        if not was_on:
            uninstrument()
