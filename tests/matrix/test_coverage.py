"""`docs/coverage.md` says what the table says, and every cell of it was run."""

from __future__ import annotations

import json

from tests.matrix.coverage import MARKDOWN, RESULTS, render
from tests.matrix.table import VERSIONS, cells


def test_the_summary_has_not_drifted() -> None:
    """`make test-matrix` writes it: a table that has changed since asks for another run."""
    assert MARKDOWN.read_text() == render()


def test_every_cell_was_run() -> None:
    """On each version as many cells passed as the table has."""
    assert json.loads(RESULTS.read_text()) == {version: len(cells(version)) for version in VERSIONS}
