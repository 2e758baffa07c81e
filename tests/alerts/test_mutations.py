"""Breaks the generated rules, one thing at a time: the generated tests must fail each time."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import claudescope_alerts
from tests.alerts.conftest import program

_GENERATED = Path(claudescope_alerts.__file__).parent / "generated"

# Group, what is replaced (a regular expression), by what, and the files of tests that run.
_MUTATIONS = [
    ("slo-availability", r"> 14\.4", "> 7.2", "1m"),
    ("slo-availability", r"> 6 ", "> 3 ", "5m"),
    ("slo-availability", r"(burn_rate:1d\{.*?) > 3 (and .*?) > 3 ", r"\1 > 1.5 \2 > 1.5 ", "15m"),
    ("slo-availability", r"(burn_rate:3d\{.*?) > 1 (and .*?) > 1 ", r"\1 > 0.5 \2 > 0.5 ", "30m"),
    ("slo-availability", r" and claude_slo:failures:increase1h\{.*?\} >= 5", "", "1m"),
    ("slo-availability", r" and claude_slo:failures:increase3d\{.*?\} >= 5", "", "30m"),
    ("slo-availability", r"(error_ratio:rate1h\n    expr: .*)", "WINDOW 1h 5m", "60m"),
    ("slo-availability", r"(error_ratio:rate3d\n    expr: .*)", "WINDOW 3d 6h", "60m"),
    ("slo-availability", r"(error_ratio:rate5m\n    expr: .*)", "WINDOW 5m 30m", "60m"),
    ("slo-availability", r"error_type=~", "eror_type=~", "1m"),
    ("slo-availability", r"error_type!~", "eror_type!~", "1m"),
    ("slo-availability", r"claude_outcome!~", "claude_outcom!~", "1m"),
    ("slo-availability", r"gen_ai_operation_name=~", "gen_ai_operation=~", "1m"),
    ("slo-availability", r"tier: page-fast", "tier: page-quick", "1m"),
    ("slo-availability", r" or 0 \* ", " and 0 * ", "60m"),
    ("slo-first-token", r'le="2\.56"', 'le="5.12"', "5m"),
    ("slo-duration", r"by \(gen_ai_request_model\)", "by (gen_ai_response_model)", "15m"),
    ("slo-first-try", r"claude_client_retries_total", "claude_client_retry_total", "15m"),
    ("error-kinds-quota", r"> 0\.05", "> 0.025", "1m"),
    ("error-kinds-quota", r" and sum\(increase\(.*\)\) >= 5", "", "1m"),
    ("error-kinds-quota", r'claude_outcome="error"', 'claude_outcom="error"', "1m"),
    ("error-shares", r"> 0\.5 ", "> 0.25 ", "1m"),
    ("error-counts", r" unless max_over_time\(.*?\[1h\] offset (5|10)m\)", "", "5m"),
    ("error-counts", r">= 5\n", ">= 4\n", "5m"),
    ("usual-duration-p95", r">= 3\n", ">= 2\n", "30m"),
    ("usual-duration-p95", r" and claude:duration_p95:calls\{.*\} >= 20", "", "30m"),
    ("usual-tokens-per-call", r" or claude:.*< 0\.5\)", ")", "30m"),
    ("limits", r" and on \(\) sum.*", "", "1m"),
    ("cost", r"> 12", "> 6", "1m"),
    ("answers", r'finish_reason="refusal"', 'finish="refusal"', "1m"),
    ("telemetry", r" and on \(\) count\(.*", "", "1m"),
]  # fmt: skip


@pytest.mark.parametrize(("group", "old", "new", "step"), _MUTATIONS)
def test_a_mutated_rule_fails_its_tests(tmp_path: Path, group: str, old: str, new: str, step: str) -> None:
    """Half a factor, no guard, other windows, a misspelt label."""
    rules = (_GENERATED / f"rules/{group}.yml").read_text(encoding="utf-8")
    if new.startswith("WINDOW"):
        _, before, after = new.split()
        mutated = re.sub(old, lambda found: found.group().replace(f"[{before}]", f"[{after}]"), rules)
    else:
        mutated = re.sub(old, new, rules)
    assert mutated != rules, "the mutation is out of date: it changes nothing"
    (tmp_path / "rules").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / f"rules/{group}.yml").write_text(mutated, encoding="utf-8")
    name = f"{group}.{step}.test.yml"
    shutil.copy(_GENERATED / "tests" / name, tmp_path / "tests" / name)
    promtool = program("bookworm", "promtool")
    checked = _run(promtool, "check", "rules", tmp_path / f"rules/{group}.yml")
    assert checked.returncode == 0, "the mutant must be a rule that loads"
    done = _run(promtool, "test", "rules", tmp_path / "tests" / name)
    assert done.returncode == 1
    assert "FAILED" in done.stdout + done.stderr


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 # ours
