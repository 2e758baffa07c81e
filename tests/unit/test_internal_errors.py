"""Internal errors are counted, logged once, and never raised."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from claudescope._internal import internal_errors


def test_counts_every_and_logs_the_first(caplog: pytest.LogCaptureFixture) -> None:
    """The first error of a component is logged at debug with its traceback and without its message; all are counted."""
    before = internal_errors.counts().get("test-component", 0)
    with caplog.at_level(logging.DEBUG, "claudescope"):
        for _ in range(3):
            try:
                raise ZeroDivisionError("private")  # noqa: TRY301 - an error to record
            except ZeroDivisionError:
                internal_errors.record("test-component")
    assert internal_errors.counts()["test-component"] - before == 3
    (record,) = caplog.records
    text = logging.Formatter().format(record)
    assert record.levelname == "DEBUG"
    assert "internal error in test-component; the app is not affected: ZeroDivisionError\n" in text
    assert f'{Path(__file__).name}", line' in text
