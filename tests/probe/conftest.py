"""What holds for every test of the probe."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from claudescope._internal import internal_errors


@pytest.fixture(autouse=True)
def _no_faults() -> Generator[None, None, None]:
    """Whatever happens, nothing goes wrong inside the probe: a fault that is only counted would hide."""
    before = internal_errors.counts().get("probe", 0)
    yield
    assert internal_errors.counts().get("probe", 0) == before
