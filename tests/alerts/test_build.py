"""The generated files are current, deterministic and complete, and query only series that exist."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml

import claudescope_alerts
from claudescope._internal.exceptions import BadInputError
from claudescope.schema.error_types import ERROR_TYPES
from claudescope_alerts import build as building
from claudescope_alerts.build import build, groups_of, stale_files, write_build
from claudescope_alerts.formats.mimir import MAX_RULES
from claudescope_alerts.formats.openslo import export_openslo, import_openslo
from claudescope_alerts.lint import lint
from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.rules.model import Group, Recording
from claudescope_alerts.spec.burn_rate_tiers import TIERS
from claudescope_alerts.spec.model import Spec, load_spec
from tests.alerts.conftest import default_build

_GENERATED = Path(claudescope_alerts.__file__).parent / "generated"
_RUNBOOKS = Path(__file__).resolve().parents[2] / "docs" / "runbooks.md"


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """The build of the default spec."""
    return default_build()


def test_the_committed_output_is_current(files: dict[str, str]) -> None:
    """`claudescope alerts build --out alerts/claudescope_alerts/generated` would change nothing."""
    committed = {
        path.relative_to(_GENERATED).as_posix(): path.read_text(encoding="utf-8")
        for path in _GENERATED.rglob("*")
        # The files for Sentry have a command and a test of their own.
        if path.is_file() and path.relative_to(_GENERATED).parts[0] != "sentry"
    }
    assert committed.keys() == files.keys()
    assert [name for name in files if files[name] != committed[name]] == []


def test_every_alert_has_a_runbook_with_all_three_parts(files: dict[str, str]) -> None:
    """Every link leads to a heading, and every heading has all three parts."""
    sections = dict(
        re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", _RUNBOOKS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    )
    spec = Spec.model_validate(
        {**load_spec().model_dump(by_alias=True), "thresholds": {"cost_per_call_usd": 1, "daily_budget_usd": 1}}
    )
    alerts = {alert.name for group in groups_of(spec) for alert in group.alerts}
    assert alerts == sections.keys()
    links = set(re.findall(r"runbook_url: \S+#(\S+)", "".join(files.values())))
    assert links <= {name.lower() for name in sections}
    for name, text in sections.items():
        for part in ("**What it means.**", "**What to do first.**", "**When it does not fire.**"):
            assert part in text, name
    for error_type in ERROR_TYPES.values():
        assert f"| `{error_type.name}` | {error_type.owner} | {error_type.advice} |" in sections["ClaudeErrorTypeHigh"]


def test_every_error_type_that_pages_has_a_page_of_its_own() -> None:
    """A new type that pages can't be left without an alert."""
    pages = {
        alert.labels.get("error_type")
        for group in groups_of(load_spec())
        for alert in group.alerts
        if alert.severity == "page"
    }
    assert {error_type.name for error_type in ERROR_TYPES.values() if error_type.pages} <= pages


def test_the_texts_of_alerts_are_short() -> None:
    """They are read on a phone: a summary is one line, and a description a few sentences."""
    spec = load_spec()
    shown = [
        alert.annotations(spec, rule_test.expected)
        for group in groups_of(spec)
        for alert in group.alerts
        for rule_test in alert.rule_tests
        if rule_test.expected is not None
    ]
    assert len(shown) > 30
    for texts in shown:
        assert len(texts["summary"]) <= 120, texts["summary"]
        assert len(texts["description"]) <= 500, texts["description"]


def test_the_factors_are_those_of_the_workbook() -> None:
    """14.4, 6, 3 and 1 for 30 days."""
    assert [str(tier.factor(30)) for tier in TIERS.values()] == ["14.4", "6", "3", "1"]


@pytest.mark.parametrize(
    ("expr", "problem"),
    [
        ("sum(rate(gen_ai_client_operation_durations_count[5m]))", "a series that does not exist"),
        ('claude_client_retries_total{model="x"}', "a label that it does not have"),
        ('claude_client_retries_total{error_type="rate_limit"}', "a value that the label never has"),
        ("sum by (modle) (claude_client_retries_total)", "a label that does not exist"),
        ("sum(", "not PromQL"),
    ],
)
def test_a_rule_on_a_series_that_does_not_exist_fails_the_build(
    monkeypatch: pytest.MonkeyPatch, expr: str, problem: str
) -> None:
    """The lint refuses it, and so does the build."""
    group = Group("misspelt", (Recording("x:y", expr),))
    assert problem in "".join(lint([group], load_spec(), SelectorBuilder(load_spec())))

    def misspelt(spec: Spec, selectors: SelectorBuilder) -> list[Group]:
        del spec, selectors
        return [group]

    monkeypatch.setattr(building, "symptom_groups", misspelt)
    with pytest.raises(BadInputError, match="misspelt: x:y"):
        build(load_spec())


def test_every_alert_is_complete() -> None:
    """An alert without a rule test, or whose texts do not show its number, is refused."""
    group = next(group for group in groups_of(load_spec()) if group.name == "limits")
    bare = dataclasses.replace(next(iter(group.alerts)), rule_tests=(), summary="low", description="low")
    mistakes = "".join(lint([Group("bare", (bare,))], load_spec(), SelectorBuilder(load_spec())))
    assert "has no rule test" in mistakes
    links = load_spec().links.model_copy(update={"runbooks": "docs/runbooks.md"})
    relative = load_spec().model_copy(update={"links": links})
    assert "has the relative runbook_url 'docs/runbooks.md" in "".join(
        lint([Group("bare", (bare,))], relative, SelectorBuilder(relative))
    )
    assert "shows its number neither" in mistakes


def test_builds_leave_other_files_alone_and_remove_their_own(tmp_path: Path, files: dict[str, str]) -> None:
    """The same build again changes nothing; a renamed objective leaves no stale rules; other files stay."""
    assert len(write_build(files, tmp_path)) == len(files)
    assert write_build(files, tmp_path) == []
    (tmp_path / "rules/mine.yml").write_text("groups: []\n", encoding="utf-8")
    fewer = {name: text for name, text in files.items() if "slo-duration" not in name}
    assert stale_files(tmp_path, fewer) == sorted(files.keys() - fewer.keys())
    write_build(fewer, tmp_path)
    assert not (tmp_path / "rules/slo-duration.yml").exists()
    assert (tmp_path / "rules/mine.yml").exists()
    (tmp_path / "rules/errors.yml").write_text("mine\n", encoding="utf-8")
    with pytest.raises(BadInputError, match="not written by claudescope"):
        write_build({"rules/errors.yml": "x"}, tmp_path)


def test_all_formats_have_the_same_rules(files: dict[str, str]) -> None:
    """The formats of the operator, the ruler and Grafana have the rules of the Prometheus files."""
    desired = [
        (rule.get("alert", rule.get("record")), rule["expr"])
        for name, text in files.items()
        if name.startswith("rules/")
        for rule in yaml.safe_load(text)["groups"][0]["rules"]
    ]

    def rules(groups: list[Any]) -> list[tuple[str, str]]:
        return [(rule.get("alert", rule.get("record")), rule["expr"]) for group in groups for rule in group["rules"]]

    assert rules(yaml.safe_load(files["kubernetes/prometheus-rule.yml"])["spec"]["groups"]) == desired
    assert rules(yaml.safe_load(files["mimir/namespace.yml"])["groups"]) == desired
    grafana = yaml.safe_load(files["grafana/alert-rules.yml"])["groups"]
    managed = [rule for group in grafana for rule in group["rules"]]
    assert [rule["data"][0]["model"]["expr"] for rule in managed] == [expr for _, expr in desired]
    assert len({rule["uid"] for rule in managed}) == len(managed)
    assert all(len(rule["uid"]) <= 40 for rule in managed)
    assert "{{ $value" not in files["grafana/alert-rules.yml"].replace("{{ $values", "")


def test_terraform_has_two_services_and_a_router(files: dict[str, str]) -> None:
    """Pages always have high urgency, tickets from the start of support hours; the router sends each to its service."""
    resources: dict[str, Any] = {}
    document: Any = hcl2.loads(files["pagerduty/main.tf"])  # type: ignore[no-untyped-call, unused-ignore]
    for resource in document["resource"]:
        for kind, named in resource.items():
            for name, body in named.items():
                resources[f"{kind}.{name}".replace('"', "")] = body
    page, ticket = resources["pagerduty_service.page"], resources["pagerduty_service.ticket"]
    assert "constant" in str(page["incident_urgency_rule"])
    assert "use_support_hours" in str(ticket["incident_urgency_rule"])
    assert "support_hours_start" in str(ticket["scheduled_actions"])
    assert ticket["support_hours"][0]["days_of_week"] == [1, 2, 3, 4, 5]
    assert "pagerduty_service.ticket.id" in str(resources["pagerduty_event_orchestration_router.claude"]["catch_all"])


def test_no_secret_is_in_the_output(files: dict[str, str]) -> None:
    """Keys are read from files."""
    assert "routing_key:" not in files["alertmanager/alertmanager.yml"]
    assert "routing_key_file: /etc/alertmanager/pagerduty-page.key" in files["alertmanager/alertmanager.yml"]


def test_openslo_is_exported_and_imported(tmp_path: Path) -> None:
    """Exported objectives are imported unchanged; others are read from their queries, or refused with their line."""
    path = tmp_path / "slos.yml"
    path.write_text(export_openslo(load_spec(), SelectorBuilder(load_spec())), encoding="utf-8")
    assert import_openslo(path) == load_spec().objectives
    foreign = path.read_text(encoding="utf-8").split("---\n")[0]
    foreign = re.sub(r"\n  annotations:\n.*\n", "\n", foreign)
    bad = 'sum(rate(claude_client_responses_total{gen_ai_response_finish_reason="refusal"}[5m]))'
    foreign = re.sub(r"(bad:(?:\n.*){3}\n +query: ).*", lambda found: f"{found.group(1)}{bad}", foreign)
    foreign = re.sub(r"(total:(?:\n.*){3}\n +query: ).*", r"\1claude_client_responses_total", foreign)
    path.write_text(foreign, encoding="utf-8")
    (objective,) = import_openslo(path)
    assert objective.sli.bad is not None
    assert objective.sli.bad.match == {"gen_ai.response.finish_reason": ["refusal"]}
    path.write_text(
        foreign.replace("claude_client_responses_total{", "claude_client_response_total{"), encoding="utf-8"
    )
    with pytest.raises(
        BadInputError, match=r"slos.yml:1: claudescope has no metric 'claude_client_response_t.*Did you mean"
    ):
        import_openslo(path)


def test_many_objectives_fit_into_kubernetes_and_mimir() -> None:
    """With forty objectives, manifests fit `kubectl apply`, and groups fit Mimir."""
    objective = load_spec().objectives[0]
    objectives = [objective.model_copy(update={"name": f"objective-{number}"}) for number in range(40)]
    files = build(load_spec().model_copy(update={"objectives": objectives}))
    manifests = list(yaml.safe_load_all(files["kubernetes/prometheus-rule.yml"]))
    assert len(manifests) > 1
    assert len({manifest["metadata"]["name"] for manifest in manifests}) == len(manifests)
    assert all(len(json.dumps(manifest)) < 262_144 for manifest in manifests)
    groups = yaml.safe_load(files["mimir/namespace.yml"])["groups"]
    assert max(len(group["rules"]) for group in groups) == MAX_RULES
    assert len({group["name"] for group in groups}) == len(groups)
