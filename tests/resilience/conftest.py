"""What tests of calls under a policy share."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

import claudescope
from claudescope.schema.record import CallRecord
from claudescope.testing import capture_calls

__all__ = ["Protect"]

Protect = Callable[[str], None]
"""Sets a policy by the text of its file, without its `version`."""


@pytest.fixture
def protect(tmp_path: Path) -> Generator[Protect]:
    """Set a policy by the text of its file."""

    def set_policy(text: str) -> None:
        path = tmp_path / "policy.yaml"
        path.write_text("version: 1\n" + text)
        claudescope.protect(path)

    yield set_policy
    claudescope.unprotect()


@pytest.fixture
def calls() -> Generator[list[CallRecord]]:
    """The records of the calls."""
    with capture_calls() as captured:
        yield captured
