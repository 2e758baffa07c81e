"""Both forms of histograms: the rules answer for classic and for native ones, and pass the same tests with either."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from claudescope_alerts.build import build, write_build
from claudescope_alerts.spec.model import Histograms, load_spec
from claudescope_alerts.validators import run_tests
from tests.alerts.conftest import default_build, tools

_ON_DISTRIBUTIONS = re.compile(
    r"rules/(slo-first-token|slo-duration|answers|baseline-(duration|first-token)-p95).yml"
    r"|tests/(slo-first-token\.5m|slo-duration\.15m|answers|baseline-first-token-p95)\..*"
)
"""The rules that read histograms, and some of their tests."""


def _of(histograms: Histograms, part: str) -> dict[str, str]:
    files = build(load_spec().model_copy(update={"histograms": histograms}))
    return {name: text for name, text in files.items() if name.startswith(part) and _ON_DISTRIBUTIONS.fullmatch(name)}


@pytest.mark.parametrize("rules", ["auto", "native"])
def test_rules_pass_their_tests_on_native_histograms(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rules: Histograms
) -> None:
    """Only native histograms are there: the default rules fire and stay silent as they do on classic ones."""
    tools(monkeypatch, "sid", "promtool")
    tests = _of("native", "tests/")
    assert any("schema:-53" in text and "_bucket" not in text for text in tests.values())
    write_build({**_of(rules, "rules/"), **tests}, tmp_path)
    result, _ = run_tests(tmp_path)
    assert (result.outcome, result.detail) == ("passed", "")


def test_rules_of_the_other_form_fail_on_native_histograms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With `histograms: classic`, the same tests fail: they do tell the forms apart."""
    tools(monkeypatch, "sid", "promtool")
    write_build({**_of("classic", "rules/"), **_of("native", "tests/")}, tmp_path)
    assert run_tests(tmp_path)[0].outcome == "failed"


def test_objectives_and_ratios_read_counters() -> None:
    """No rule reads the `_count` of a histogram, which native histograms do not have."""
    histograms = r"(gen_ai_client_\w+|claude_client_(output_speed|stream_stall)\w*)_(count|sum)\b"
    rules = "".join(text for name, text in default_build().items() if name.startswith("rules/"))
    assert re.findall(histograms, rules) == []


@pytest.mark.parametrize(("histograms", "absent"), [("classic", "histogram_fraction"), ("native", "_bucket")])
def test_a_fixed_form_reads_nothing_else(histograms: Histograms, absent: str) -> None:
    """`histograms: classic` and `histograms: native` leave the other form out."""
    assert absent not in "".join(_of(histograms, "rules/").values())
