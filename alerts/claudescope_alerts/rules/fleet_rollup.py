"""What is recorded across instances, so that the boards of a large fleet need not read every instance's series.

A board at All instances shows sums, and a fleet of a thousand instances has a thousand times the series that they are
made of. With `fleet_rollup: true` in the spec, rules add the instances up once a minute, and boards read the sum
where their reader chose All.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from claudescope.schema.catalogue import (
    ACTIVE_CALLS,
    BATCH_RESULTS,
    CACHE_READ_TOKENS,
    CACHE_WRITE_TOKENS,
    COST,
    DURATION,
    EVENTS_DROPPED,
    INTERNAL_ERRORS,
    OPERATION,
    OUTCOME,
    OUTPUT_SPEED,
    RATE_LIMIT,
    RATE_LIMIT_REMAINING,
    REASONING_TOKENS,
    REQUEST_MODEL,
    RESPONSES,
    RETRIES,
    RETRY_DELAY,
    SERVER_TOOL_USES,
    STREAM_STALL,
    TIME_TO_FIRST_CHUNK,
    TOKEN_USAGE,
    UNPRICED_CALLS,
    Label,
    Metric,
)
from claudescope_alerts.promql.selectors import Match, Part, SelectorBuilder
from claudescope_alerts.rules.model import Group, Query, Recording, RuleTest, counter
from claudescope_alerts.rules.sli import CHAT, ENDED, FAILED
from claudescope_alerts.spec.model import Spec

__all__ = ["FAILED_RATIO", "LAST_SEEN", "P95", "TILE", "fleet_groups", "fleet_name", "newest_sample"]

_PREFIX: Final = "claude_across"
_GAUGES: Final = {ACTIVE_CALLS: "sum", RATE_LIMIT: "max", RATE_LIMIT_REMAINING: "min"}
"""How the last-seen values of several instances become one. All share the limits: who saw least knows what is left."""

_GROUPS: Final[dict[str, tuple[tuple[Metric, Part], ...]]] = {
    "duration": ((DURATION, "bucket"), (DURATION, "count")),
    "streams": (
        (TIME_TO_FIRST_CHUNK, "bucket"),
        (OUTPUT_SPEED, "bucket"),
        (STREAM_STALL, "bucket"),
        (STREAM_STALL, "count"),
    ),
    "usage": (
        (TOKEN_USAGE, "sum"),
        (CACHE_READ_TOKENS, ""),
        (CACHE_WRITE_TOKENS, ""),
        (REASONING_TOKENS, ""),
        (COST, ""),
        (UNPRICED_CALLS, ""),
    ),
    "calls": (
        (RETRIES, ""),
        (RETRY_DELAY, ""),
        (RESPONSES, ""),
        (SERVER_TOOL_USES, ""),
        (BATCH_RESULTS, ""),
        (INTERNAL_ERRORS, ""),
        (EVENTS_DROPPED, ""),
        *((gauge, "") for gauge in _GAUGES),
    ),
}


_BY_INSTANCE: Final[dict[tuple[Metric, Part], tuple[Label, ...]]] = {
    (DURATION, "bucket"): (OPERATION,),
    (DURATION, "count"): (OPERATION, OUTCOME),
    (COST, ""): (),
}
"""What is recorded of each instance, across all else, and the labels that are kept."""

TILE: Final = 5
"""Minutes between evaluations of that: as long as the window of its rates, end to end."""

FAILED_RATIO: Final = f"{_PREFIX}_by_instance:failed:share5m"
"""Recorded of each instance: the share of its calls that failed, of those that ended."""

P95: Final = f"{_PREFIX}_by_instance:duration:p95_5m"
"""Recorded of each instance: the 95th percentile of how long calls took that users wait for, in seconds."""

LAST_SEEN: Final = f"{_PREFIX}_by_instance:last_seen"
"""Recorded of each instance: when its newest sample of calls was taken, in Unix seconds."""


def newest_sample(names: SelectorBuilder, by: Iterable[str], selector: str) -> str:
    """When the newest of some series' samples was taken, in Unix seconds, by labels."""
    return f"max by {names.by(*by)} (timestamp({selector}))"


def fleet_name(metric: Metric, part: Part = "", *, by_instance: bool = False) -> str:
    """Name of what is recorded of a metric: its rate over 5 minutes, or a gauge's value.

    Args:
        metric: Which metric.
        part: Which series of a histogram.
        by_instance: Of each instance, without model and workflow.

    Raises:
        ValueError: It is not recorded.
    """
    recorded = _BY_INSTANCE if by_instance else [what for group in _GROUPS.values() for what in group]
    if (metric, part) not in recorded:
        raise ValueError(f"no rule records {metric.name}{part and f' ({part})'}{' by instance' if by_instance else ''}")
    prefix, suffix = f"{_PREFIX}_by_instance" if by_instance else _PREFIX, f"_{part}" if part else ""
    return f"{prefix}:{metric.prometheus.removesuffix('_total')}{suffix}:{_GAUGES.get(metric, 'rate5m')}"


def fleet_groups(spec: Spec, names: SelectorBuilder) -> list[Group]:
    """The rules, if the spec asks for them."""
    if not spec.fleet_rollup:
        return []
    labels = {"service": spec.service.name}
    return [
        Group(
            f"across-{name}",
            tuple(Recording(fleet_name(*what), _expr(spec, names, *what), labels) for what in recorded),
            (_rule_test(names, recorded, labels),),
        )
        for name, recorded in _GROUPS.items()
    ] + _by_instance(spec, names, labels)


def _by_instance(spec: Spec, names: SelectorBuilder, labels: dict[str, str]) -> list[Group]:
    own = _selector(labels)
    rules: list[Recording] = []
    series: dict[str, str] = {}
    queries: list[Query] = []
    whose = tuple(dict.fromkeys(("job", "instance", *spec.service.labels)))
    for (metric, part), also in _BY_INSTANCE.items():
        le, more = (("le",), {"le": "+Inf"}) if part == "bucket" else ((), {})
        kept = names.by(*whose, *also, *le)
        name = fleet_name(metric, part, by_instance=True)
        rules.append(Recording(name, f"sum by {kept} (rate({names.select(metric, part=part, window='5m')}))", labels))
        for number, model in ((1, "a"), (2, "b")):
            one = names.series(metric, {REQUEST_MODEL: model}, part, job="app", instance="app-1", **more)
            series[one] = counter((20, 60 * number))
        queries.append(Query(15, f'round({name}{own[:-1]}, instance="app-1"}}, 0.001) == 3', 1))
    rules += [Recording(name, expr, labels) for name, expr in _answers(names, whose)]
    adds_up = RuleTest("adds up the models of each instance", series, queries=tuple(queries))
    last_seen = Recording(LAST_SEEN, newest_sample(names, whose, names.select(DURATION, part="count")), labels)
    return [
        Group("across-by-instance", tuple(rules), (adds_up, _answered(names, own)), every=TILE),
        Group("across-last-seen", (last_seen,), (_last_seen(names, f"{LAST_SEEN}{own}"),)),
    ]


def _answers(names: SelectorBuilder, whose: tuple[str, ...]) -> list[tuple[str, str]]:
    """What is worked out of what the rules before have recorded: name and expression."""
    by, with_le = names.by(*whose), names.by(*whose, "le")

    def summed(labels: str, part: Part, *matches: Match) -> str:
        name = fleet_name(DURATION, part, by_instance=True)
        return f"sum by {labels} ({names.fleet(name, DURATION, *matches, part=part)})"

    failed, ended = summed(by, "count", FAILED), summed(by, "count", ENDED)
    return [
        (FAILED_RATIO, f"({failed} or 0 * {ended}) / ({ended} > 0)"),
        (P95, f"histogram_quantile(0.95, {summed(with_le, 'bucket', CHAT)})"),
    ]


def _answered(names: SelectorBuilder, own: str) -> RuleTest:
    """An instance of which a fifth fails, and nine tenths are answered within a bound; another that never fails."""
    chat: dict[Label, str] = {OPERATION: "chat"}
    told: list[tuple[str, dict[Label, str], Part, dict[str, str], int]] = [
        ("app-1", {**chat, OUTCOME: "ok"}, "count", {}, 80),
        ("app-1", {**chat, OUTCOME: "error"}, "count", {}, 20),
        ("app-1", {**chat, OUTCOME: "cancelled"}, "count", {}, 7777),
        ("app-1", chat, "bucket", {"le": "1"}, 90),
        ("app-1", chat, "bucket", {"le": "2"}, 100),
        ("app-1", chat, "bucket", {"le": "+Inf"}, 100),
        ("app-1", {OPERATION: "models.list"}, "bucket", {"le": "2"}, 0),
        ("app-1", {OPERATION: "models.list"}, "bucket", {"le": "+Inf"}, 7777),
        ("app-2", {**chat, OUTCOME: "ok"}, "count", {}, 80),
    ]
    series: dict[str, str] = {}
    for instance, kind, part, more, each in told:
        series[names.series(DURATION, kind, part, job="app", instance=instance, **more)] = counter((20, each))
    return RuleTest(
        "works out the share that fails and the quantile of each instance",
        series,
        queries=(
            Query(15, f'round({FAILED_RATIO}{own[:-1]}, instance="app-1"}}, 0.001) == 0.2', 1),
            Query(15, f'{FAILED_RATIO}{own[:-1]}, instance="app-2"}} == 0', 1),
            Query(15, f'round({P95}{own[:-1]}, instance="app-1"}}, 0.001) == 1.5', 1),
        ),
    )


def _last_seen(names: SelectorBuilder, recorded: str) -> RuleTest:
    """One instance has gone after ten minutes; of the other, one model isn't asked any more."""
    series = {
        names.series(DURATION, {REQUEST_MODEL: model}, "count", job="app", instance=instance): counter((minutes, 60))
        for instance, model, minutes in (("app-1", "a", 30), ("app-1", "b", 5), ("app-2", "a", 10))
    }
    return RuleTest(
        "keeps when an instance was last seen",
        series,
        queries=(
            Query(9, f"{recorded} == 540", 2),
            Query(25, f"{recorded} == 1500", 1),
            Query(25, f'{recorded[:-1]}, instance="app-2"}}', None),
            Query(25, f"max_over_time({recorded}[1d]) == 600", 1),
        ),
    )


def _selector(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def _expr(spec: Spec, names: SelectorBuilder, metric: Metric, part: Part) -> str:
    scraped = dict.fromkeys(("job", *spec.service.labels))
    kept = names.by(*scraped, *metric.labels, *(("le",) if part == "bucket" else ()))
    if metric in _GAUGES:
        return f"{_GAUGES[metric]} by {kept} ({names.select(metric)})"
    return f"sum by {kept} (rate({names.select(metric, part=part, window='5m')}))"


def _rule_test(names: SelectorBuilder, recorded: tuple[tuple[Metric, Part], ...], labels: dict[str, str]) -> RuleTest:
    """Two instances: 1 and 2 a second, or 1 and 2."""
    own = _selector(labels)
    series: dict[str, str] = {}
    queries: list[Query] = []
    for metric, part in recorded:
        more = {"le": "+Inf"} if part == "bucket" else {}
        for number in (1, 2):
            name = names.series(metric, {}, part, job="app", instance=f"app-{number}", **more)
            series[name] = f"{number}x20" if metric in _GAUGES else counter((20, 60 * number))
        value = {"sum": 3, "max": 2, "min": 1}[_GAUGES.get(metric, "sum")]
        queries.append(Query(15, f"round({fleet_name(metric, part)}{own}, 0.001) == {value}", 1))
        queries.append(Query(15, f'{fleet_name(metric, part)}{{instance!=""}}', None))
    return RuleTest("adds up the instances", series, queries=tuple(queries))
