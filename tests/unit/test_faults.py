"""Faults of our own are counted, logged once, and never raised."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from claudescope._internal import internal_errors


def test_counts_every_and_logs_the_first(caplog: pytest.LogCaptureFixture) -> None:
    """The first fault of a component is logged at debug, with where it was and without its message; all are counted."""
    before = internal_errors.counts().get("test-component", 0)
    with caplog.at_level(logging.DEBUG, "claudescope"):
        for _ in range(3):
            try:
                raise ZeroDivisionError("private")  # noqa: TRY301 - a fault to note
            except ZeroDivisionError:
                internal_errors.record("test-component")
    assert internal_errors.counts()["test-component"] - before == 3
    (record,) = caplog.records
    text = logging.Formatter().format(record)
    assert record.levelname == "DEBUG"
    assert "a fault in test-component; the app is not affected: ZeroDivisionError\n" in text
    assert f'{Path(__file__).name}", line' in text
