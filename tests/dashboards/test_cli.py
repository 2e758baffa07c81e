"""`claudescope dashboards` from the command line."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from claudescope.cli import main
from claudescope_alerts.spec.model import Spec, load_spec
from claudescope_dashboards import build as building
from claudescope_dashboards.validators import check_dashboards, lost_in_round_trip, unparsed
from tests.dashboards.conftest import default_dashboards, default_files
from tests.dashboards.grafana import TOKEN, Grafana


@pytest.fixture
def grafana() -> Grafana:
    """An empty Grafana."""
    return Grafana()


@pytest.fixture
def url(grafana: Grafana, monkeypatch: pytest.MonkeyPatch) -> Generator[str]:
    """The base URL of the Grafana; its token is in the environment."""
    monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)
    monkeypatch.delenv("GRAFANA_URL", raising=False)

    def built_once(spec: Spec) -> dict[str, str]:
        assert spec == load_spec()
        return dict(default_files())

    # These tests run many commands, each of which would build the same files.
    monkeypatch.setattr(building, "build", built_once)
    with grafana.running() as base:
        yield base


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["claudescope", "dashboards", *arguments])
    with pytest.raises(SystemExit) as exited:
        main()
    return int(exited.value.code or 0)


def test_push_is_idempotent_and_diff_shows_its_changes(
    grafana: Grafana, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run and a diff write nothing; a second push changes nothing; an edit is shown and reverted."""
    assert _run(monkeypatch, "diff", "--url", url) == 1
    assert _run(monkeypatch, "push", "--url", url, "--dry-run") == 0
    assert "+++ new/claudescope-overview" in capsys.readouterr().out
    assert grafana.writes == []
    assert _run(monkeypatch, "push", "--url", url, "--message", "release 7") == 0
    assert "7 changed: Claude · Overview" in capsys.readouterr().err
    assert grafana.folders == {"claude": "Claude"}
    assert grafana.dashboards.keys() == {dashboard["uid"] for dashboard in default_dashboards().values()}
    assert {dashboard["message"] for dashboard in grafana.dashboards.values()} == {"release 7"}
    written = len(grafana.writes)
    monkeypatch.setenv("GRAFANA_URL", url)
    assert _run(monkeypatch, "push") == 0
    assert "nothing to change" in capsys.readouterr().err
    assert _run(monkeypatch, "diff") == 0
    assert _run(monkeypatch, "push", "--dry-run") == 0
    assert "nothing would change" in capsys.readouterr().out
    assert len(grafana.writes) == written
    grafana.dashboards["claudescope-fleet"]["dashboard"]["panels"][0]["title"] = "Edited by hand"
    assert _run(monkeypatch, "diff", "--url", url) == 1
    assert '-   "title": "Edited by hand"' in capsys.readouterr().out
    assert _run(monkeypatch, "push", "--url", url) == 0
    assert grafana.writes[written:] == ["dashboard claudescope-fleet"]
    assert grafana.dashboards["claudescope-fleet"]["dashboard"]["version"] == 2


def test_push_moves_dashboards_to_its_folder(grafana: Grafana, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dashboard in another folder is moved."""
    assert _run(monkeypatch, "push", "--url", url) == 0
    assert _run(monkeypatch, "push", "--url", url, "--folder", "Team AI") == 0
    assert {dashboard["folderUid"] for dashboard in grafana.dashboards.values()} == {"team-ai"}


def test_no_overwrite_keeps_a_concurrent_save(
    grafana: Grafana, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --no-overwrite a dashboard that changed during the push is kept, and the message says what to do."""
    assert _run(monkeypatch, "push", "--url", url) == 0
    grafana.dashboards["claudescope-cost"]["dashboard"]["title"] = "Edited"

    def meanwhile(uid: str) -> None:
        grafana.dashboards[uid]["dashboard"]["version"] += 1

    grafana.before_save = meanwhile
    assert _run(monkeypatch, "push", "--url", url, "--no-overwrite") == 2
    said = capsys.readouterr().err
    assert "412" in said
    assert "push again" in said
    assert grafana.dashboards["claudescope-cost"]["dashboard"]["title"] == "Edited"
    assert _run(monkeypatch, "push", "--url", url) == 0
    assert grafana.dashboards["claudescope-cost"]["dashboard"]["title"] == "Claude · Tokens & cost"


def test_errors_say_what_to_do(
    grafana: Grafana, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong or missing token, a wrong or missing URL, an unreachable host and an empty folder title exit with 2."""
    closed = "http://127.0.0.1:1"
    for token, arguments, told in (
        ("wrong", ("push", "--url", url), "401"),
        ("", ("push", "--url", url), "GRAFANA_TOKEN is not set"),
        (TOKEN, ("push",), "--url or GRAFANA_URL"),
        (TOKEN, ("push", "--url", f"{url}/elsewhere"), "Check that --url is the base URL of Grafana"),
        (TOKEN, ("diff", "--url", closed), "can't be reached"),
        (TOKEN, ("push", "--url", url, "--folder", "!"), "expected a title with letters or digits"),
    ):
        monkeypatch.setenv("GRAFANA_TOKEN", token)
        assert _run(monkeypatch, *arguments) == 2
        said = capsys.readouterr().err
        assert told in said
        assert not token or token not in said
    assert grafana.writes == []


def test_build_and_diff_of_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A build writes every file once; a diff is empty after it, and shows what was edited."""
    assert _run(monkeypatch, "diff", "--out", str(tmp_path)) == 1
    assert _run(monkeypatch, "build", "--out", str(tmp_path)) == 0
    assert f"{len(default_files())} changed" in capsys.readouterr().err
    assert _run(monkeypatch, "build", "--out", str(tmp_path)) == 0
    assert ", 0 changed" in capsys.readouterr().err
    assert _run(monkeypatch, "diff", "--out", str(tmp_path)) == 0


def test_check_names_every_validator(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """All validators pass; one that is not installed is skipped and named; a lint problem fails."""
    pytest.importorskip("grafana_foundation_sdk", reason="grafana-foundation-sdk needs Python 3.11")
    assert _run(monkeypatch, "check") == 0
    said = capsys.readouterr().err
    assert said.count("passed") == 3
    find = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> Any:
        return None if name == "grafana_foundation_sdk" else find(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    check_results = check_dashboards(load_spec())
    assert [check_result.outcome for check_result in check_results] == ["passed", "passed", "skipped"]
    assert "pip install grafana-foundation-sdk" in check_results[-1].detail
    monkeypatch.setattr(building, "lint", lambda *given: ["overview: wrong"])
    assert [check_result.outcome for check_result in check_dashboards(load_spec())] == ["failed"]


def test_validators_find_problems() -> None:
    """A key that Grafana does not know is lost in the round trip, and a broken query does not parse."""
    pytest.importorskip("grafana_foundation_sdk", reason="grafana-foundation-sdk needs Python 3.11")
    dashboard: Any = {**default_dashboards()["limits"]}
    dashboard["panels"] = [{**dashboard["panels"][0], "colour": "red"}]
    assert list(lost_in_round_trip({"limits": dashboard})) == ["limits: .panels[].colour is lost"]
    target = {**dashboard["panels"][0]["targets"][0], "expr": "sum("}
    dashboard["panels"][0]["targets"] = [target]
    assert "Lowest headroom now: A" in next(unparsed({"limits": dashboard}))


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without grafanalib the message gives the install command."""
    monkeypatch.setitem(sys.modules, "grafanalib", None)
    assert _run(monkeypatch, "build") == 2
    assert "pip install 'claudescope[dashboards]'" in capsys.readouterr().err
