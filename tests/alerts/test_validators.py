"""The generated rules, tests and routes pass the real validators, on the oldest and the newest versions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import claudescope_alerts
from claudescope.cli import app
from claudescope_alerts.build import build, write_build
from claudescope_alerts.spec.model import DEFAULT_SPEC, Spec, load_spec
from claudescope_alerts.validators import check_folder, run_tests
from tests.alerts.conftest import default_build, tools

_GENERATED = Path(claudescope_alerts.__file__).parent / "generated"


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_generated_tests_pass(monkeypatch: pytest.MonkeyPatch, suite: str) -> None:
    """Promtool runs the tests of every alert, and amtool those of every route."""
    tools(monkeypatch, suite, "promtool", "amtool")
    check_results = run_tests(_GENERATED)
    assert [(check_result.validator, check_result.outcome, check_result.detail) for check_result in check_results] == [
        ("promtool test rules", "passed", ""),
        ("amtool config routes test", "passed", ""),
    ]


def test_check_runs_every_validator_and_names_the_missing(monkeypatch: pytest.MonkeyPatch, suite: str) -> None:
    """Installed validators pass; missing ones are named, and do not fail the check."""
    tools(monkeypatch, suite, "promtool", "amtool")
    result = CliRunner().invoke(app, ["alerts", "check"])
    assert result.exit_code == 0, result.output
    assert re.findall(r"^(\w+) +(\w+)", result.output, re.MULTILINE)[:2] == [
        ("passed", "promtool"),
        ("passed", "amtool"),
    ]
    assert "skipped  terraform fmt" in result.output
    assert "pint is not on the PATH" in result.output


@pytest.mark.release
@pytest.mark.timeout(300)
def test_victoriametrics_agrees(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Vmalert loads all rules, and vmalert-tool passes the tests of every kind that reads no recorded series."""
    tools(monkeypatch, "sid", "vmalert", "vmalert-tool")
    # A ratio, a count, a gauge, cost and absence; the others differ from these in their labels only.
    few = ("error-types-quota.", "error-counts.", "limits.", "cost.1m", "telemetry.")
    files = {
        name: text
        for name, text in default_build().items()
        if "tests/" not in name or any(part in name for part in few)
    }
    write_build(files, tmp_path)
    outcomes = {
        check_result.validator: (check_result.outcome, check_result.detail) for check_result in check_folder(tmp_path)
    }
    assert outcomes["vmalert -dryRun"] == ("passed", "")
    assert outcomes["vmalert-tool unittest"] == ("passed", "")


@pytest.mark.parametrize(
    ("changed", "calls"),
    [
        ({"naming": "without-suffixes"}, " claude_client_calls{"),
        ({"naming": "utf8"}, "claude.client.calls_total"),
        ({"naming": "victoriametrics", "namespace": "acme"}, '"acme_claude.client.calls"'),
        ({"namespace": "acme"}, "acme_claude_client_calls_total{"),
    ],
)
def test_other_namings_pass_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changed: dict[str, str], calls: str
) -> None:
    """Under other names, the rules of one objective and of one group of symptoms pass on Prometheus 3."""
    tools(monkeypatch, "sid", "promtool")
    spec = Spec.model_validate({**load_spec().model_dump(by_alias=True), **changed})
    files = build(spec)
    assert calls in files["rules/slo-availability.yml"].replace("(", " ")
    few = ("slo-duration.15m", "limits.", "baseline-first-token")
    write_build(
        {name: text for name, text in files.items() if "tests/" not in name or any(part in name for part in few)},
        tmp_path,
    )
    rules, _ = run_tests(tmp_path)
    assert (rules.outcome, rules.detail) == ("passed", "")


def test_all_receivers_load_in_every_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, suite: str) -> None:
    """Slack, e-mail, a receiver of local errors, a dead man's switch, holidays: alerts still reach their receivers."""
    tools(monkeypatch, suite, "promtool", "amtool")
    spec = tmp_path / "claudescope.yaml"
    text = DEFAULT_SPEC.read_text(encoding="utf-8")
    routing = """
routing:
  page: {pagerduty_key_file: /etc/page.key, slack: {channel: "#oncall", api_url_file: /etc/slack.url}}
  ticket:
    email:
      {to: team@example.com, sender: a@b.example, smarthost: "mail.example.com:587", username: a, password_file: /etc/m}
    hours: {zone: Europe/Berlin, days: "mon,wed-fri", from: "09:00", to: "17:30", holidays: [2026-12-25, 2027-01-01]}
  local: {pagerduty_key_file: /etc/local.key}
  deadman: {url: "http://deadman.example.com/claude", token_file: /etc/deadman.token, every: 2m}
"""
    spec.write_text(text[: text.index("routing:")] + routing, encoding="utf-8")
    files = build(load_spec(spec))
    write_build({name: content for name, content in files.items() if not name.startswith("tests/")}, tmp_path / "out")
    outcomes = {check_result.validator: check_result for check_result in check_folder(tmp_path / "out")}
    assert outcomes["amtool check-config"].detail == ""
    routes = run_tests(tmp_path / "out")[1]
    assert (routes.outcome, routes.detail) == ("passed", "")
    desired = {test["receiver"] for test in yaml.safe_load(files["alertmanager/route-tests.yml"])["tests"]}
    assert desired == {"claude-page", "claude-ticket", "claude-local", "claude-deadman"}


def test_a_wrong_route_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A page that reaches the receiver of tickets fails the route tests."""
    tools(monkeypatch, "bookworm", "promtool", "amtool")
    files = default_build()
    config = files["alertmanager/alertmanager.yml"]
    # The last one is the route of every page that no route before it takes.
    broken = "receiver: claude-ticket\n".join(config.rsplit("receiver: claude-page\n", 1))
    assert broken != config
    few = {name: text for name, text in files.items() if name.startswith("alertmanager/")}
    write_build({**few, "alertmanager/alertmanager.yml": broken}, tmp_path)
    assert "expected claude-page" in run_tests(tmp_path)[1].detail
