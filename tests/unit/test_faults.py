"""Faults of our own are counted, logged once, and never raised."""

from __future__ import annotations

import logging

import pytest

from claudescope import faults


def test_counts_every_and_logs_the_first(caplog: pytest.LogCaptureFixture) -> None:
    """The first fault of a component is logged at debug with its traceback; all are counted."""
    before = faults.counts().get("test-component", 0)
    with caplog.at_level(logging.DEBUG, "claudescope"):
        for _ in range(3):
            try:
                raise ZeroDivisionError  # noqa: TRY301 - a fault to note
            except ZeroDivisionError:
                faults.note("test-component")
    assert faults.counts()["test-component"] - before == 3
    assert [(record.levelname, record.exc_info is not None) for record in caplog.records] == [("DEBUG", True)]
