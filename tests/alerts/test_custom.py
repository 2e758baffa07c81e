"""Custom objectives: what is generated for `preset: custom` passes its tests, as the default objectives do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from claudescope_alerts.build import build, write_build
from claudescope_alerts.spec.model import load_spec
from claudescope_alerts.validators import run_tests
from tests.alerts.conftest import tools

_SPEC = """
version: 1
service: {name: shop, labels: {job: shop}}
objectives:
  - name: answered
    target: 97
    window: 28d
    min_failures: 40
    tiers: [page-fast, ticket-slow]
    owner: caller
    sli:
      preset: custom
      per_model: true
      bad:
        metric: claude.client.responses
        match: {gen_ai.operation.name: [chat], gen_ai.response.finish_reason: [refusal, max_tokens]}
      total: {metric: claude.client.responses, match: {gen_ai.operation.name: [chat, text_completion]}}
  - name: unrepeated
    target: 98
    window: 90d
    min_failures: 1
    tiers: [page-slow]
    sli:
      preset: custom
      bad: {metric: claude.client.retries, match: {error.type: [overloaded_error]}}
      total: {metric: gen_ai.client.operation.duration, match: {claude.outcome: [ok, error]}}
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The rules of both objectives, and their tests."""
    spec = tmp_path_factory.mktemp("custom") / "claudescope.yaml"
    spec.write_text(_SPEC, encoding="utf-8")
    desired = re.compile(r"(rules|tests)/slo-")
    return {name: text for name, text in build(load_spec(spec)).items() if desired.match(name)}


def _check_result(files: dict[str, str], folder: Path) -> tuple[str, str]:
    write_build(files, folder)
    rules, _ = run_tests(folder)
    return rules.outcome, rules.detail


def test_their_generated_tests_pass(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, str], suite: str
) -> None:
    """Each tier, its windows, its minimum of one and of forty failures, and no NaN, on both versions of promtool."""
    tools(monkeypatch, suite, "promtool")
    rule_tests = "".join(text for name, text in files.items() if name.startswith("tests/"))
    for rule_test in ("none is NaN", "silent on 38 failures", "page-slow fires on a small total outage", "on a burst"):
        assert rule_test in rule_tests
    assert _check_result(files, tmp_path) == ("passed", "")


@pytest.mark.parametrize(
    ("group", "old", "new", "step"),
    [
        ("answered", r'finish_reason=~"refusal.max_tokens"', 'finish_reason=~"refusals"', "1m"),
        ("answered", r', gen_ai_response_finish_reason=~"refusal.max_tokens"', "", "1m"),
        ("answered", r', gen_ai_operation_name=~"chat.text_completion"', "", "1m"),
        ("answered", r" and claude_slo:failures:increase1h\{.*?\} >= 40", "", "1m"),
        ("unrepeated", r'error_type="overloaded_error"', 'error_type!=""', "5m"),
        ("unrepeated", r'claude_outcome=~"ok.error"', 'claude_outcome!=""', "5m"),
        ("unrepeated", r"> 18 ", "> 18.3 ", "5m"),
    ],
)
def test_mutated_rules_fail_their_tests(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: dict[str, str], group: str, old: str, new: str, step: str
) -> None:
    """A misspelt or missing label, no minimum of failures, another factor: as with the default objectives."""
    tools(monkeypatch, "sid", "promtool")
    rules = files[f"rules/slo-{group}.yml"]
    mutated = re.sub(old, new, rules)
    assert mutated != rules, "the mutation is out of date: it changes nothing"
    few = {name: text for name, text in files.items() if name == f"tests/slo-{group}.{step}.test.yml"}
    outcome, detail = _check_result({**few, f"rules/slo-{group}.yml": mutated}, tmp_path)
    assert outcome == "failed"
    assert "got:" in detail, detail
