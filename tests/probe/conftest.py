"""What holds for every test of the probe."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from claudescope._internal import internal_errors


@pytest.fixture(autouse=True)
def _no_internal_errors() -> Generator[None, None, None]:
    """No test may cause an internal error in the probe: one that is only counted would stay unseen."""
    before = internal_errors.counts().get("probe", 0)
    yield
    assert internal_errors.counts().get("probe", 0) == before
