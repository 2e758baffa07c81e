"""Deployments are safe to repeat, are undone where the target refuses them, and leave other files alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from claudescope._internal.exceptions import BadInputError
from claudescope.cli import app
from claudescope_alerts.build import HEADER
from claudescope_alerts.deploy import PrometheusFolder, Ruler, show_difference
from claudescope_alerts.spec.model import load_spec
from tests.alerts.conftest import default_build, program
from tests.alerts.ruler import ruler
from tests.servers import run_server, wait_for


def test_prometheus_gets_the_files_and_reloads_them(tmp_path: Path) -> None:
    """A dry run shows the changes, a push deploys them, a second one changes nothing; refused files are rolled back."""
    rules = tmp_path / "rules"
    rules.mkdir()
    config = tmp_path / "prometheus.yml"
    config.write_text(yaml.safe_dump({"rule_files": ["rules/*.yml"]}), encoding="utf-8")
    (rules / "theirs.yml").write_text("groups: []\n", encoding="utf-8")
    command: list[str | Path] = [
        program("bookworm", "prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        "--web.listen-address=127.0.0.1:0",
        "--web.enable-lifecycle",
    ]
    files = default_build()
    with run_server(command, tmp_path / "log") as url:
        options = ["alerts", "push", "--prometheus-dir", str(rules), "--reload-url", url]
        shown = CliRunner().invoke(app, [*options, "--dry-run"])
        assert "+  - alert: ClaudeErrorBudgetBurn" in shown.output
        assert [path.name for path in rules.iterdir()] == ["theirs.yml"]
        target = PrometheusFolder(rules, "claude", url)
        wait_for("Prometheus is ready", lambda: "ready" in (tmp_path / "log").read_text(encoding="utf-8"))
        pushed = CliRunner().invoke(app, options)
        assert pushed.exit_code == 0, pushed.output
        assert show_difference(target, files) == ""
        assert target.apply(files) == []
        broken = {**files, "rules/limits.yml": HEADER + "groups: [{name: broken, rules: [{alert: x, expr: 'sum('}]}]\n"}
        with pytest.raises(BadInputError, match=r"responded with 500.*The old files were restored"):
            target.apply(broken)
        assert show_difference(target, files) == ""
    fewer = {name: text for name, text in files.items() if "slo-duration" not in name}
    assert PrometheusFolder(rules, "claude").apply(fewer) == ["claudescope-claude-slo-duration.yml"]
    assert (rules / "theirs.yml").exists()


def test_a_ruler_gets_only_what_differs() -> None:
    """All groups the first time, none the second, and a group that the build does not have is deleted."""
    groups: dict[str, Any] = {}
    calls: list[str] = []
    files = default_build()
    with ruler(groups, calls) as url:
        target = Ruler(url, load_spec(), tenant="team")
        assert len(target.apply(files)) == len(groups) > 10
        assert target.apply(files) == []
        groups["renamed"] = {"name": "renamed", "rules": [{"record": "x", "expr": "1"}]}
        assert "deployed/renamed" in show_difference(target, files)
        assert target.apply(files) == ["renamed"]
        assert calls.count("DELETE") == 1
        with pytest.raises(BadInputError, match="responded with 401: no org id"):
            Ruler(url, load_spec()).apply(files)


def test_a_push_that_is_refused_halfway_is_undone() -> None:
    """The ruler keeps the groups that it had, word for word, and the message says so."""
    old = {"name": "claudescope-claude-limits", "rules": [{"record": "x", "expr": "1"}]}
    groups: dict[str, Any] = {"claudescope-claude-limits": dict(old), "gone": {**old, "name": "gone"}}
    before = dict(groups)
    with ruler(groups, [], max_groups=6) as url:
        with pytest.raises(BadInputError, match=r"rule groups limit.*The old groups were restored"):
            Ruler(url, load_spec(), tenant="team").apply(default_build())
        assert groups == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "expected exactly one target"),
        (["--kubernetes", "--ruler-url", "http://localhost"], "expected exactly one target"),
        (["--prometheus-dir", "nowhere"], "nowhere: there is no such folder"),
        (["--ruler-url", "localhost:80"], "expected a URL that starts with http"),
        (["--ruler-url", "http://127.0.0.1:1"], "can't be reached"),
    ],
)
def test_a_bad_target_is_named(options: list[str], message: str) -> None:
    """One clear message."""
    result = CliRunner().invoke(app, ["alerts", "push", *options])
    assert isinstance(result.exception, BadInputError)
    assert message in str(result.exception)


def test_kubernetes_manifests_go_to_standard_output() -> None:
    """Ready for kubectl apply."""
    result = CliRunner().invoke(app, ["alerts", "push", "--kubernetes"])
    assert yaml.safe_load(result.stdout)["kind"] == "PrometheusRule"


def test_diff_compares_with_an_earlier_build(tmp_path: Path) -> None:
    """Without a change it exits with 0 and prints nothing; with one it exits with 1 and prints the lines."""
    out = ["--out", str(tmp_path / "out")]
    runner = CliRunner()
    assert runner.invoke(app, ["alerts", "build", *out]).exit_code == 0
    assert runner.invoke(app, ["alerts", "diff", *out]).exit_code == 0
    spec = tmp_path / "claudescope.yaml"
    spec.write_text(
        "version: 1\nobjectives: [{name: a, target: 99, sli: {preset: claude-availability}}]\n", encoding="utf-8"
    )
    changed = runner.invoke(app, ["alerts", "diff", *out, "--spec", str(spec)])
    assert changed.exit_code == 1
    assert "+++ new/rules/slo-a.yml" in changed.output


def test_import_prints_a_spec_that_loads(tmp_path: Path) -> None:
    """Objectives that are exported to OpenSLO and imported again are the same."""
    slos, spec = tmp_path / "slos.yml", tmp_path / "claudescope.yaml"
    slos.write_text(default_build()["openslo/slos.yml"], encoding="utf-8")
    result = CliRunner().invoke(app, ["alerts", "import", str(slos)])
    spec.write_text(result.stdout, encoding="utf-8")
    assert load_spec(spec).objectives == load_spec().objectives
