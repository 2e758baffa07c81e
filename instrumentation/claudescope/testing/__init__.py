"""Records the calls that a block of code makes, for the tests of your app.

    with capture_calls() as calls:
        app.summarise(text)
    assert [call.outcome for call in calls] == ["ok"]

`claudescope.testing.fixtures` has pytest fixtures for this and for a simulated API.
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

    Instruments the SDK during the block, if it is not instrumented already.

    Yields:
        The records so far, in the order in which the calls ended. The list is complete after the block, which waits
        for records of abandoned streams.

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
