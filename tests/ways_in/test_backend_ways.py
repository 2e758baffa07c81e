"""`docs/backends.md` says which ways of metrics to a backend work, and every one of them was run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ways_in.backend_table import MARKDOWN, RESULTS, Result, render
from tests.ways_in.backend_ways import WAYS, results


def test_the_page_has_not_drifted() -> None:
    """`make test-backends` writes it: a way that has changed since asks for another run."""
    assert MARKDOWN.read_text(encoding="utf-8") == render()


def test_every_way_was_run() -> None:
    """Each way is recorded with its naming and forms, and nothing is missing."""
    recorded = {name: Result(**result) for name, result in json.loads(RESULTS.read_text(encoding="utf-8")).items()}
    assert {name: (one.naming, one.namespace, one.histograms) for name, one in recorded.items()} == {
        way.name: (way.naming, way.namespace, list(way.forms)) for way in WAYS
    }
    for name, result in recorded.items():
        assert result.problems == [], name
        for counted in (result.panels, result.objectives):
            found, _, possible = counted.partition(" of ")
            assert found == possible, name


@pytest.mark.release
@pytest.mark.long
@pytest.mark.timeout(900)
def test_every_panel_and_rule_has_data_on_every_way(tmp_path: Path) -> None:
    """Nothing is missing but what never happened, counts, ratios and percentiles are right, and `doctor` agrees."""
    assert {name: result.problems for name, result in results(tmp_path).items() if result.problems} == {}
