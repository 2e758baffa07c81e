"""Rule tests of the fleet rollup."""

from __future__ import annotations

from collections.abc import Iterable

from claudescope.schema.catalogue import CALLS, DURATION, OPERATION, OUTCOME, REQUEST_MODEL, Label, Metric
from claudescope.schema.recorded_series import (
    GAUGE_AGGREGATIONS,
    INSTANCE_FAILED_RATIO,
    INSTANCE_LABELS,
    INSTANCE_LAST_SEEN,
    INSTANCE_P95,
    SeriesPart,
    fleet_name,
)
from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.rule_tests.model import Query, RuleTest
from claudescope_alerts.rule_tests.series import counter

__all__ = ["derived_rule_test", "instance_rule_test", "last_seen_rule_test", "rollup_rule_test"]


def rollup_rule_test(selectors: SelectorBuilder, entries: Iterable[tuple[Metric, SeriesPart]], own: str) -> RuleTest:
    """Two instances with rates of 1 and 2 per second, or with gauges of 1 and 2.

    Args:
        selectors: Writes the series.
        entries: What the rules sum.
        own: Selector of what they record.
    """
    series: dict[str, str] = {}
    queries: list[Query] = []
    for metric, part in entries:
        more = {"le": "+Inf"} if part == "bucket" else {}
        for number in (1, 2):
            name = selectors.series(metric, {}, part, job="app", instance=f"app-{number}", **more)
            series[name] = f"{number}x20" if metric in GAUGE_AGGREGATIONS else counter((20, 60 * number))
        value = {"sum": 3, "max": 2, "min": 1}[GAUGE_AGGREGATIONS.get(metric, "sum")]
        queries.append(Query(15, f"round({fleet_name(metric, part)}{own}, 0.001) == {value}", 1))
        queries.append(Query(15, f'{fleet_name(metric, part)}{{instance!=""}}', None))
    return RuleTest("sums the instances", series, queries=tuple(queries))


def instance_rule_test(selectors: SelectorBuilder, own: str) -> RuleTest:
    """One instance that calls two models, at 1 and 2 per second.

    Args:
        selectors: Writes the series.
        own: Selector of what the rules record.
    """
    series: dict[str, str] = {}
    queries: list[Query] = []
    for metric, part in INSTANCE_LABELS:
        more = {"le": "+Inf"} if part == "bucket" else {}
        for number, model in ((1, "a"), (2, "b")):
            name = selectors.series(metric, {REQUEST_MODEL: model}, part, job="app", instance="app-1", **more)
            series[name] = counter((20, 60 * number))
        recorded = f"{fleet_name(metric, part, by_instance=True)}{_of_instance(own, 'app-1')}"
        queries.append(Query(15, f"round({recorded}, 0.001) == 3", 1))
    return RuleTest("sums the models of each instance", series, queries=tuple(queries))


def derived_rule_test(selectors: SelectorBuilder, own: str) -> RuleTest:
    """An instance where a fifth of calls fails and nine tenths take at most 1 s, and another that never fails.

    Args:
        selectors: Writes the series.
        own: Selector of what the rules record.
    """
    chat: dict[Label, str] = {OPERATION: "chat"}
    rates: list[tuple[str, dict[Label, str], SeriesPart, dict[str, str], int]] = [
        ("app-1", {**chat, OUTCOME: "ok"}, "", {}, 80),
        ("app-1", {**chat, OUTCOME: "error"}, "", {}, 20),
        ("app-1", {**chat, OUTCOME: "cancelled"}, "", {}, 7777),
        ("app-1", chat, "bucket", {"le": "1"}, 90),
        ("app-1", chat, "bucket", {"le": "2"}, 100),
        ("app-1", chat, "bucket", {"le": "+Inf"}, 100),
        ("app-1", {OPERATION: "models.list"}, "bucket", {"le": "2"}, 0),
        ("app-1", {OPERATION: "models.list"}, "bucket", {"le": "+Inf"}, 7777),
        ("app-2", {**chat, OUTCOME: "ok"}, "", {}, 80),
    ]
    series = {
        selectors.series(DURATION if part else CALLS, labels, part, job="app", instance=instance, **more): counter(
            (20, per_minute)
        )
        for instance, labels, part, more, per_minute in rates
    }
    first, second = (_of_instance(own, instance) for instance in ("app-1", "app-2"))
    return RuleTest(
        "computes the ratio of failed calls and the p95 of each instance",
        series,
        queries=(
            Query(15, f"round({INSTANCE_FAILED_RATIO.name}{first}, 0.001) == 0.2", 1),
            Query(15, f"{INSTANCE_FAILED_RATIO.name}{second} == 0", 1),
            Query(15, f"round({INSTANCE_P95.name}{first}, 0.001) == 1.5", 1),
        ),
    )


def last_seen_rule_test(selectors: SelectorBuilder, own: str) -> RuleTest:
    """One instance ends after ten minutes; the other stops calling one of its models.

    Args:
        selectors: Writes the series.
        own: Selector of what the rules record.
    """
    recorded = f"{INSTANCE_LAST_SEEN.name}{own}"
    calls = (("app-1", "a", 30), ("app-1", "b", 5), ("app-2", "a", 10))
    series = {
        selectors.series(CALLS, {REQUEST_MODEL: model}, job="app", instance=instance): counter((minutes, 60))
        for instance, model, minutes in calls
    }
    return RuleTest(
        "keeps when an instance was last seen",
        series,
        queries=(
            Query(9, f"{recorded} == 540", 2),
            Query(25, f"{recorded} == 1500", 1),
            Query(25, f"{INSTANCE_LAST_SEEN.name}{_of_instance(own, 'app-2')}", None),
            Query(25, f"max_over_time({recorded}[1d]) == 600", 1),
        ),
    )


def _of_instance(own: str, instance: str) -> str:
    """A selector, narrowed to one instance."""
    return f'{own[:-1]}, instance="{instance}"}}'
