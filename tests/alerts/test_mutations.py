"""Breaks the generated rules in one place at a time: the generated tests must fail each time.

`test_validators.py` shows that the same tests pass on the unbroken rules, with the same promtool.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import claudescope_alerts
from tests.alerts.conftest import program

_GENERATED = Path(claudescope_alerts.__file__).parent / "generated"

# Group, what is replaced (a regular expression), its replacement, and the rule test that must fail.
_MUTATIONS = [
    # A tier's burn rate, a little or by half.
    ("slo-availability", r"> 14\.4", "> 14.7", "page-fast fires after"),
    ("slo-availability", r"> 14\.4", "> 7.2", "page-fast is silent just under"),
    ("slo-availability", r"> 6 ", "> 5.9 ", "page-slow is silent just under"),
    ("slo-availability", r"(burn_rate:1d\{.*) > 3 (and .*?) > 3 ", r"\1 > 1.5 \2 > 1.5 ", "ticket-fast is silent just"),
    ("slo-availability", r"(burn_rate:3d\{.*) > 1 (and .*?) > 1 ", r"\1 > 0.5 \2 > 0.5 ", "ticket-slow is silent just"),
    # Its windows: only the short one, only the long one, another tier's.
    ("slo-availability", r"burn_rate:1h(\{.*\} > 14)", r"burn_rate:5m\1", "page-fast is silent on a burst"),
    ("slo-availability", r"burn_rate:5m(\{.*\} > 14)", r"burn_rate:1h\1", "page-fast resolves 5m after"),
    ("slo-availability", r"burn_rate:6h(\{.*\} > 6 and)", r"burn_rate:30m\1", "page-slow is silent on a burst"),
    ("slo-availability", r"burn_rate:1d(\{.*\} > 3 and)", r"burn_rate:2h\1", "ticket-fast is silent on a burst"),
    ("slo-availability", r"burn_rate:3d(\{.*\} > 1 and)", r"burn_rate:1d\1", "ticket-slow is silent on a burst"),
    # Its `for` and `keep_firing_for`.
    ("slo-availability", "    for: 2m\n", "    for: 3m\n", "page-fast fires after"),
    ("slo-availability", "    for: 15m\n", "    for: 10m\n", "page-slow fires after"),
    ("slo-availability", "    keep_firing_for: 5m\n", "    keep_firing_for: 6m\n", "page-fast fires after"),
    # Its minimum of failures.
    ("slo-availability", r" and claude_slo:failures:increase1h\{.*?\} >= 5", "", "page-fast is silent on 4 failures"),
    ("slo-availability", r" and claude_slo:failures:increase3d\{.*?\} >= 5", "", "ticket-slow is silent on 4 failures"),
    # What is recorded over which window.
    ("slo-availability", r"((errors|events):rate1h\n    expr: .*)", "WINDOW 1h 5m", "each window"),
    ("slo-availability", r"(errors:rate3d\n    expr: .*) / 3", r"\1 / 2", "each window sees its own"),
    ("slo-availability", r"(errors:rate2h\n    expr: .*) offset 1h", r"\1 offset 30m", "as long as it lasts"),
    ("slo-availability", r"(errors:rate6h\n    expr: .*) offset 4h", r"\1 offset 2h", "as long as it lasts"),
    ("slo-availability", r"(errors:rate1d\n    expr: .*) offset 18h", r"\1 offset 1d", "as long as it lasts"),
    ("slo-availability", r"(errors:rate3d\n    expr: .*)rate1d(.*offset 2d)", r"\1rate6h\2", "as long as it lasts"),
    ("slo-availability", r'"part", "2"', '"part", "1"', "as long as it lasts"),
    ("slo-availability", r"((errors|events):rate5m\n    expr: .*)", "WINDOW 5m 30m", "each window"),
    ("slo-availability", r"error_ratio:rate2h\{", "error_ratio:rate6h{", "each window"),
    ("slo-availability", r"rate6h\{(.*)\} \* 21600", r"rate6h{\1} * 3600", "each window"),
    ("slo-availability", r"sum(_over_time\(claude_slo:errors:rate5m)", r"avg\1", "the period gives every event"),
    # Labels.
    ("slo-availability", r"error_type=~", "eror_type=~", "page-fast fires after"),
    ("slo-availability", r"error_type!~", "eror_type!~", "page-fast fires after"),
    ("slo-availability", r"claude_outcome!~", "claude_outcom!~", "page-fast fires after"),
    ("slo-availability", r"gen_ai_operation_name=~", "gen_ai_operation=~", "page-fast fires after"),
    ("slo-availability", r"tier: page-fast", "tier: page-quick", "page-fast fires after"),
    ("slo-availability", r" or 0 \* ", " and 0 * ", "the whole budget remains"),
    ("slo-first-token", r'le="2\.56"', 'le="5.12"', "page-slow fires after"),
    ("slo-duration", r"by \(gen_ai_request_model\)", "by (gen_ai_response_model)", "ticket-fast fires after"),
    ("slo-first-try", r"claude_client_retries_total", "claude_client_retry_total", "ticket-fast fires after"),
    # Symptoms: thresholds, minimum of failures, labels.
    ("error-types-quota", r"> 0\.05", "> 0.051", "fires after"),
    ("error-types-quota", r"> 0\.05", "> 0.025", "just under"),
    ("error-types-quota", r" and sum\(increase\(.*\)\) >= 5", "", "events that are all bad"),
    ("error-types-quota", r'claude_outcome="error"', 'claude_outcom="error"', "fires after"),
    ("error-ratios", r"> 0\.5 ", "> 0.51 ", "ClaudeApiUnavailable: fires after"),
    ("error-counts", r" unless max_over_time\(.*?\[1h\] offset (5|10)m\)", "", "old counter that does not grow"),
    ("error-counts", r" and on \(\) claude:alerting:watching\{.*?\} offset 1?[05]m", "", "before the rules were"),
    ("error-counts", r">= 5\n", ">= 4\n", "ClaudePoolExhausted: is silent on fewer events"),
    ("baseline-duration-p95", r">= 3\n", ">= 2\n", "two earlier days"),
    ("baseline-duration-p95", r"> 2 ", "> 2.1 ", "fires just over"),
    ("baseline-duration-p95", r" and claude:duration_p95:now\{.*?\} >= 2\)", ")", "below its floor"),
    ("baseline-duration-p95", r" and claude:duration_p95:calls\{.*\} >= 20", "", "few calls"),
    ("baseline-tokens-per-call", r" or claude:.*< 0\.5\)", ")", "fires just under its lower threshold"),
    ("baseline-tokens-per-call", r"< 0\.5\)", "< 0.51)", "just over its lower threshold"),
    ("limits", r" and on \(\) sum.*", "", "old value"),
    ("limits", r"< 0\.1 ", "< 0.102 ", "just enough"),
    ("cost", r"> 12", "> 12.2", "page-fast shows the spend rate"),
    ("cost", r"\[1h\]\)\) \* 86400", "[5m])) * 86400", "page-fast is silent on a burst"),
    ("cost", r"\[5m\]\)\) \* 86400", "[1h])) * 86400", "page-fast fires after"),
    ("answers", r'finish_reason="refusal"', 'finish="refusal"', "ClaudeRefusalsHigh: fires after"),
    ("telemetry", r" and on \(\) count_over_time\(.*", "", "never was telemetry"),
]  # fmt: skip


@pytest.mark.parametrize(("group", "old", "new", "rule_test"), _MUTATIONS)
def test_a_mutated_rule_fails_its_tests(tmp_path: Path, group: str, old: str, new: str, rule_test: str) -> None:
    """Another factor, no minimum of failures, other windows, a misspelt label: the rule test for it fails."""
    rules = (_GENERATED / f"rules/{group}.yml").read_text(encoding="utf-8")
    if new.startswith("WINDOW"):
        _, before, after = new.split()
        mutated = re.sub(old, lambda found: found.group().replace(f"[{before}", f"[{after}"), rules)
    else:
        mutated = re.sub(old, new, rules)
    assert mutated != rules, "the mutation is out of date: it changes nothing"
    (tmp_path / "rules").mkdir()
    (tmp_path / "tests").mkdir()
    output = _promtool(tmp_path, group, mutated, rule_test)
    # It fails by its results, not because it can't be loaded.
    assert "FAILED" in output
    assert "got:" in output, output


def _promtool(folder: Path, group: str, rules: str, rule_test: str) -> str:
    """The output of promtool for a rule file and the rule tests whose name has this text."""
    (folder / f"rules/{group}.yml").write_text(rules, encoding="utf-8")
    chosen: list[Path] = []
    for path in (_GENERATED / "tests").glob(f"{group}.*.test.yml"):
        document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        document["tests"] = [test for test in document["tests"] if rule_test in test["name"]]
        if document["tests"]:
            chosen.append(folder / "tests" / path.name)
            chosen[-1].write_text(yaml.safe_dump(document), encoding="utf-8")
    assert chosen, "no rule test has this name"
    command: list[str | Path] = [program("sid", "promtool"), "test", "rules", *chosen]
    # Less garbage collection makes a short run faster.
    environment = {**os.environ, "GOGC": "400"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)  # noqa: S603 # ours
    return done.stdout + done.stderr
