"""Recorded series are declared once, in the schema: rules and dashboards use the declaration."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import claudescope_alerts
import claudescope_dashboards
from claudescope.schema.catalogue import RETRIES
from claudescope.schema.recorded_series import BURN_RATE, RECORDED_SERIES, fleet_name
from claudescope_alerts.build import groups_of
from claudescope_alerts.spec.burn_rate_tiers import WINDOWS, write_minutes
from claudescope_alerts.spec.model import load_spec

_RECORDED_NAME = re.compile(r"\bclaude(_[a-z_]+)?:\w+")


def test_the_rules_record_exactly_what_is_declared() -> None:
    """With the fleet rollup, every declared series has a rule, and every recording rule has a declaration."""
    spec = load_spec().model_copy(update={"fleet_rollup": True})
    recorded = {rule.name for group in groups_of(spec) for rule in group.recordings}
    assert recorded == {series.name for series in RECORDED_SERIES}


def test_each_series_is_declared_once_with_a_description_and_labels() -> None:
    """The reference page is made from these."""
    assert len({series.name for series in RECORDED_SERIES}) == len(RECORDED_SERIES)
    for series in RECORDED_SERIES:
        assert _RECORDED_NAME.match(series.name), series.name
        assert re.fullmatch(r"[^{}]+\.", series.description), series.name
        assert series.labels[0] == "service", series.name


def test_the_declared_labels_are_those_that_the_rules_keep() -> None:
    """Every label that a rule sets is declared."""
    declared = {series.name: series.labels for series in RECORDED_SERIES}
    spec = load_spec().model_copy(update={"fleet_rollup": True})
    for group in groups_of(spec):
        for rule in group.recordings:
            assert set(rule.labels) <= set(declared[rule.name]), rule.name


def test_the_windows_are_those_of_the_tiers() -> None:
    """The schema can't import the tiers, so it declares their windows again."""
    assert BURN_RATE.windows == tuple(write_minutes(window) for window in WINDOWS)


def test_what_no_rule_records_has_no_name() -> None:
    """Another window, or a metric that is not recorded by instance, is refused."""
    with pytest.raises(ValueError, match=r"no rule records claude_slo:burn_rate:4h\. Expected one of 5m, 30m"):
        BURN_RATE.over("4h")
    with pytest.raises(ValueError, match=r"claude\.client\.retries by instance"):
        fleet_name(RETRIES, by_instance=True)


def _literals(package: str) -> Iterator[tuple[str, str]]:
    """Every text in the modules of a package, with its place; f-strings by their constant parts."""
    for path in sorted(Path(package).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{path.name}:{node.lineno}", node.value


@pytest.mark.parametrize("package", [claudescope_alerts.__file__, claudescope_dashboards.__file__])
def test_no_module_types_the_name_of_a_recorded_series(package: str) -> None:
    """Rules and dashboards import the names."""
    assert [(place, text) for place, text in _literals(package) if _RECORDED_NAME.search(text)] == []
