"""Dashboards on the fleet rollup show the same numbers as dashboards on raw series."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from claudescope.schema.catalogue import (
    ACTIVE_CALLS,
    CALLS,
    COST,
    DURATION,
    OUTCOME,
    RATE_LIMIT_REMAINING,
    RETRIES,
    WORKFLOW,
)
from claudescope.schema.recorded_series import fleet_name
from claudescope_alerts.build import build
from claudescope_alerts.promql.selectors import Match
from claudescope_alerts.spec.model import Naming, Spec, load_spec
from claudescope_dashboards.build import dashboards_of
from claudescope_dashboards.interpolation import Resolver
from claudescope_dashboards.lint import queries_of
from claudescope_dashboards.queries import CHAT, RANGE, Queries
from tests.alerts.conftest import SUITES, program

_MINUTES = 400


def _spec(naming: Naming = "prometheus", **changes: Any) -> Spec:
    return load_spec().model_copy(update={"fleet_rollup": True, "naming": naming, **changes})


@pytest.mark.parametrize("naming", ["prometheus", "without-suffixes", "utf8", "victoriametrics"])
def test_dashboards_and_rules_are_valid_under_every_naming(naming: Naming) -> None:
    """The lint accepts dashboards and rules, and the dashboards read the rollup."""
    dashboards, files = dashboards_of(_spec(naming)), build(_spec(naming))
    assert {name for name in files if "fleet" in name and name.startswith("rules/")} == {
        f"rules/fleet-{name}.yml" for name in ("by-instance", "calls", "duration", "last-seen", "streams", "usage")
    }
    assert any("claude_fleet:" in expr for dashboard in dashboards.values() for _, expr in queries_of(dashboard))


def test_a_metric_without_a_rollup_has_no_name() -> None:
    """A dashboard cannot read a rollup that no rule records."""
    with pytest.raises(ValueError, match=r"claude\.client\.retries by instance"):
        fleet_name(RETRIES, by_instance=True)


def test_the_rollup_is_off_by_default() -> None:
    """Dashboards must show data where no rules are evaluated."""
    spec = load_spec()
    assert not spec.fleet_rollup
    assert "claude_fleet" not in str((dashboards_of(spec), build(spec)))


def _series(queries: Queries, instance: str, times: int) -> dict[str, str]:
    """Calls, durations, cost and gauges of one instance."""
    common = {"job": "app", "instance": instance}
    named = {CHAT.label: "chat", WORKFLOW: "summarise"}

    def grow(each: float) -> str:
        return f"{each * 1000:g}+{each:g}x{_MINUTES}"

    return {
        queries.series(CALLS, named | {OUTCOME: "ok"}, "", **common): grow(60 * times),
        queries.series(CALLS, named | {OUTCOME: "error"}, "", **common): grow(5 * times * times),
        queries.series(DURATION, named, "bucket", le="1.28", **common): grow(20 * times),
        queries.series(DURATION, named, "bucket", le="2.56", **common): grow(50 * times),
        queries.series(DURATION, named, "bucket", le="+Inf", **common): grow(60 * times),
        queries.series(COST, named, "", **common): grow(0.5 * times),
        queries.series(ACTIVE_CALLS, named, "", **common): f"{times}x{_MINUTES}",
        queries.series(RATE_LIMIT_REMAINING, named, "", **common): f"{10 * times}x{_MINUTES}",
    }


def _asked(queries: Queries) -> dict[str, str]:
    workflow, each = Match(WORKFLOW, ("summarise",)), ("job", "instance")
    failed = queries.failed(by=each, window=RANGE)
    return {
        "calls": queries.calls(CHAT),
        "calls of a workflow": queries.calls(workflow, by=(WORKFLOW,), window=RANGE, function="increase"),
        "cost": queries.total(COST, window=RANGE, function="increase"),
        "cost of the last hour": queries.total(COST, window="1h"),
        "p95": queries.quantile(0.95, DURATION, CHAT),
        "p95 by workflow": queries.quantile(0.95, DURATION, CHAT, by=(WORKFLOW,), window=RANGE),
        "calls by instance": f"sum({queries.calls(by=each)})",
        "calls of the range by instance": f"sum({queries.calls(by=each, window=RANGE, function='increase')})",
        "error rate by instance": f"sum({queries.ratio(failed, queries.calls(by=each))})",
        "current error rate by instance": f"sum({queries.failed_ratio()})",
        "current p95 by instance": f"max({queries.p95()})",
        "instances": f"count({queries.last_seen()})",
        "instances of the last day": f"count({queries.last_seen('1d')})",
        "newest sample": f"60 + time() - max({queries.last_seen('1d')})",
        "newest sample of the stopped instance": f"60 + time() - min({queries.last_seen('1d')})",
        "p95 by instance": f"max({queries.quantile(0.95, DURATION, CHAT, by=each, window=RANGE)})",
        "in flight": f"sum({queries.gauge(ACTIVE_CALLS)})",
        "remaining": f"min({queries.gauge(RATE_LIMIT_REMAINING)})",
        "rate of change": f"min({queries.gauge(RATE_LIMIT_REMAINING, 'deriv', '15m')}) + 1",
    }


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(
    "chosen",
    [{}, {"instance": ["app-2"]}, {"instance": ["app-2"], "workflow": ["summarise"]}],
    ids=["all", "instance", "instance and workflow"],
)
def test_the_numbers_match_the_raw_series(tmp_path: Path, suite: str, chosen: Mapping[str, list[str]]) -> None:
    """Both run over the same calls. Prometheus 2 includes both ends of a window: 61 minutes of an hour."""
    spec = _spec()
    fleet, raw = Queries(spec), Queries(load_spec())
    resolver = Resolver(seconds=6 * 3600, scrape=60, chosen=chosen)
    files = {Path(name).name: text for name, text in build(spec).items() if name.startswith("rules/fleet")}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    series = {name: values for number in (1, 2) for name, values in _series(raw, f"app-{number}", number).items()}
    gone = {CHAT.label: "chat", WORKFLOW: "summarise", OUTCOME: "ok"}
    series[raw.series(CALLS, gone, job="app", instance="app-3")] = "1000+1x200"
    asked = {what: resolver.resolve(expr) for what, expr in _asked(fleet).items()}
    # promtool evaluates all groups of a test file with one interval.
    seldom = {name for name, text in files.items() if "  interval: 5m\n" in text}
    own = {rule["record"] for name in seldom for rule in yaml.safe_load(files[name])["groups"][0]["rules"]}
    by_interval = {"5m": {what for what, expr in asked.items() if own & set(re.findall(r"[\w:]+", expr))}}
    by_interval["1m"] = set(asked) - by_interval["5m"]
    for interval, some in by_interval.items():
        document = {
            "rule_files": sorted(seldom if interval == "5m" else set(files) - seldom),
            "evaluation_interval": interval,
            "tests": [
                {
                    "interval": "1m",
                    "input_series": [{"series": name, "values": values} for name, values in series.items()],
                    "promql_expr_test": [
                        {
                            "expr": f"count(round(({asked[what]}) / ({resolver.resolve(expr)}), 0.05) == 1)",
                            "eval_time": "390m",
                            "exp_samples": [{"labels": "{}", "value": 1}],
                        }
                        for what, expr in _asked(raw).items()
                        if what in some
                    ],
                }
            ],
        }
        assert some
        (tmp_path / f"{interval}.test.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    command: list[str | Path] = [program(suite, "promtool"), "test", "rules", *tmp_path.glob("*.test.yml")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 # fixed command
    assert done.returncode == 0, done.stdout + done.stderr
