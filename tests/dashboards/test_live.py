"""Every query of every panel against real servers with the generated rules: no error, no empty panel."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from claudescope_dashboards.interpolation import Resolver
from tests.alerts.conftest import default_build
from tests.dashboards.api import Store
from tests.dashboards.conftest import default_dashboards
from tests.dashboards.panel_queries import empty_panels
from tests.dashboards.stores import STEP, History, prometheus, victoria_metrics, write_history
from tests.telemetry.calls import WORKFLOWS
from tests.telemetry.history import JOB

_EXPECTED_EMPTY: Mapping[str, str] = {
    f"{name}: annotation: Deploys and restarts": "the samples of the history are too far apart to show a start"
    for name in default_dashboards()
}
"""Reason why a query has no data, by `dashboard: panel: reference`."""

_WEB = [workflow for workflow in WORKFLOWS if "web-1" in workflow.instances and workflow.stream]
_CHOSEN = {
    "job": [JOB],
    "instance": ["web-1", "web-2"],
    "model": [workflow.model for workflow in _WEB],
    "workflow": [workflow.name for workflow in _WEB],
}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Three days of calls, and the generated rules."""
    rules = {name: text for name, text in default_build().items() if name.startswith("rules/")}
    return write_history(tmp_path_factory.mktemp("history") / "history.txt", rules)


@pytest.mark.timeout(400)
@pytest.mark.long
@pytest.mark.parametrize("server", [prometheus, pytest.param(victoria_metrics, marks=pytest.mark.release)])
def test_every_query_of_every_panel_has_data(
    tmp_path: Path,
    history: History,
    server: Callable[[History, Path], AbstractContextManager[Store]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Variables are replaced as Grafana does: all with All, and for the overview also with selected values."""
    dashboards = default_dashboards()
    with server(history, tmp_path) as store:
        asked, empty = empty_panels(store, dashboards, scrape=STEP)
        assert sorted(set(empty) ^ set(_EXPECTED_EMPTY)) == []
        chosen, none = empty_panels(store, {"overview": dashboards["overview"]}, _CHOSEN, scrape=STEP)
        assert sorted(set(none) - set(_EXPECTED_EMPTY)) == []
        choices = 0
        for variable in dashboards["overview"]["templating"]["list"][1:]:
            found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
            assert found is not None
            values = store.label_values(found[2], Resolver().resolve(found[1]))
            assert set(_CHOSEN[variable["name"]]) <= set(values)
            choices += 1
    with capsys.disabled():
        counts = f"{asked} queries at All, {chosen} with values chosen, {choices} variables"
        print(f"\n{server.__name__}: {counts}: all have data")  # noqa: T201 # shows what was checked
