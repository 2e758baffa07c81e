"""What is recorded across instances, so that the boards of a large fleet need not read every instance's series.

A board at All instances shows sums, and a fleet of a thousand instances has a thousand times the series that they are
made of. With `across_instances: true` in the spec, rules add the instances up once a minute, and boards read the sum
where their reader chose All.
"""

from __future__ import annotations

from typing import Final

from claudescope.catalogue import (
    ACTIVE_CALLS,
    BATCH_RESULTS,
    CACHE_READ_TOKENS,
    CACHE_WRITE_TOKENS,
    COST,
    DURATION,
    FAULTS,
    HELD_BACK,
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
from claudescope_alerts.promql import Names, Part
from claudescope_alerts.rules import Group, Query, Recording, Trial, counter
from claudescope_alerts.spec import Spec

__all__ = ["across_groups", "across_name"]

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
        (FAULTS, ""),
        (HELD_BACK, ""),
        *((gauge, "") for gauge in _GAUGES),
    ),
}


_BY_INSTANCE: Final[dict[tuple[Metric, Part], tuple[Label, ...]]] = {
    (DURATION, "bucket"): (OPERATION,),
    (DURATION, "count"): (OPERATION, OUTCOME),
    (COST, ""): (),
}
"""What is recorded of each instance, across all else, and the labels that are kept."""


def across_name(metric: Metric, part: Part = "", *, by_instance: bool = False) -> str:
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


def across_groups(spec: Spec, names: Names) -> list[Group]:
    """The rules, if the spec asks for them."""
    if not spec.across_instances:
        return []
    labels = {"service": spec.service.name}
    return [
        Group(
            f"across-{name}",
            tuple(Recording(across_name(*what), _expr(spec, names, *what), labels) for what in recorded),
            (_trial(names, recorded, labels),),
        )
        for name, recorded in _GROUPS.items()
    ] + [_by_instance(spec, names, labels)]


def _by_instance(spec: Spec, names: Names, labels: dict[str, str]) -> Group:
    own = _selector(labels)
    rules: list[Recording] = []
    series: dict[str, str] = {}
    queries: list[Query] = []
    for (metric, part), also in _BY_INSTANCE.items():
        le, more = (("le",), {"le": "+Inf"}) if part == "bucket" else ((), {})
        kept = names.by(*dict.fromkeys(("job", "instance", *spec.service.labels)), *also, *le)
        name = across_name(metric, part, by_instance=True)
        rules.append(Recording(name, f"sum by {kept} (rate({names.select(metric, part=part, window='5m')}))", labels))
        for number, model in ((1, "a"), (2, "b")):
            one = names.series(metric, {REQUEST_MODEL: model}, part, job="app", instance="app-1", **more)
            series[one] = counter((20, 60 * number))
        queries.append(Query(15, f'round({name}{own[:-1]}, instance="app-1"}}, 0.001) == 3', 1))
    trial = Trial("adds up the models of each instance", series, queries=tuple(queries))
    return Group("across-by-instance", tuple(rules), (trial,))


def _selector(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def _expr(spec: Spec, names: Names, metric: Metric, part: Part) -> str:
    scraped = dict.fromkeys(("job", *spec.service.labels))
    kept = names.by(*scraped, *metric.labels, *(("le",) if part == "bucket" else ()))
    if metric in _GAUGES:
        return f"{_GAUGES[metric]} by {kept} ({names.select(metric)})"
    return f"sum by {kept} (rate({names.select(metric, part=part, window='5m')}))"


def _trial(names: Names, recorded: tuple[tuple[Metric, Part], ...], labels: dict[str, str]) -> Trial:
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
        queries.append(Query(15, f"round({across_name(metric, part)}{own}, 0.001) == {value}", 1))
        queries.append(Query(15, f'{across_name(metric, part)}{{instance!=""}}', None))
    return Trial("adds up the instances", series, queries=tuple(queries))
