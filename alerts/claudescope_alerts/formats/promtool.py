"""Writes rule tests as promtool unit tests
(https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/).

Each test queries `ALERTS{alertstate="firing"}` at the minutes at which the alert must fire or be silent. For one minute
of each alert it compares all labels and annotations exactly.
"""  # noqa: D205

from __future__ import annotations

from collections import defaultdict
from typing import Any

from claudescope_alerts.promql.selectors import label_selector
from claudescope_alerts.rule_tests.model import RuleTest
from claudescope_alerts.rules.model import Alert, Group
from claudescope_alerts.spec.model import Spec

__all__ = ["test_files"]


def test_files(group: Group, spec: Spec, rule_file: str) -> dict[str, dict[str, Any]]:
    """The unit tests of a group.

    Args:
        group: The group.
        spec: Has the links of the annotations.
        rule_file: Path of the group's rule file, relative to the folder of the tests.

    Returns:
        Documents by file name: one for each evaluation interval, as promtool has one interval for a whole file.
    """
    tests: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for rule_test in group.rule_tests:
        tests[rule_test.evaluation_interval].append(_test(rule_test, None, spec))
    for alert in group.alerts:
        for rule_test in alert.rule_tests:
            tests[rule_test.evaluation_interval].append(_test(rule_test, alert, spec))
    return {
        f"{group.name}.{interval}m.test.yml": {
            "rule_files": [rule_file],
            "evaluation_interval": f"{interval}m",
            "tests": documents,
        }
        for interval, documents in sorted(tests.items())
    }


def _silence(firing: str, rule_test: RuleTest) -> list[tuple[int, str, float | None]]:
    """Queries that return nothing while the alert is silent: one for each minute, or one for a long range of them."""
    if len(rule_test.silent) <= 3:
        return [(minute, firing, None) for minute in rule_test.silent]
    first, last = rule_test.silent[0], rule_test.silent[-1]
    return [(last, f"count_over_time({firing}[{last - first + rule_test.evaluation_interval}m])", None)]


def _test(rule_test: RuleTest, alert: Alert | None, spec: Spec) -> dict[str, Any]:
    test: dict[str, Any] = {
        "name": rule_test.name if alert is None else f"{alert.name}: {rule_test.name}",
        "interval": f"{rule_test.sample_interval}m",
        "input_series": [{"series": name, "values": values} for name, values in rule_test.series.items()],
    }
    queries = [(query.minute, query.expr, query.value) for query in rule_test.queries]
    if alert is not None:
        labels = {"alertname": alert.name, **alert.static_labels(spec), "alertstate": "firing"}
        own = label_selector(labels)
        queries += _silence(f"ALERTS{own}", rule_test)
        queries += [(minute, f"ALERTS{own}", 1) for minute in rule_test.firing]
        if rule_test.expected is not None:
            expected = rule_test.expected
            test["alert_rule_test"] = [
                {
                    "eval_time": f"{expected.minute}m",
                    "alertname": alert.name,
                    "exp_alerts": [
                        {
                            "exp_labels": {**alert.static_labels(spec), **expected.labels},
                            "exp_annotations": alert.annotations(spec, expected),
                        }
                    ],
                }
            ]
    test["promql_expr_test"] = [
        {
            "expr": f"count({expr})",
            "eval_time": f"{minute}m",
            "exp_samples": [] if value is None else [{"labels": "{}", "value": value}],
        }
        for minute, expr, value in sorted(queries, key=lambda query: query[0])
    ]
    return test
