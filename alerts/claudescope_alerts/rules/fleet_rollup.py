"""Rules that sum the series of all instances, so that the dashboards of a large fleet need not read each instance's.

A dashboard that shows all instances shows sums, and a fleet of a thousand instances has a thousand times the series
that these are made of. With `fleet_rollup: true` in the spec, rules compute the sums once a minute, and dashboards read
them where the viewer selects all instances.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from claudescope.schema.catalogue import CALLS, DURATION, Label, Metric
from claudescope.schema.recorded_series import (
    FLEET_GROUPS,
    GAUGE_AGGREGATIONS,
    INSTANCE_FAILED_RATIO,
    INSTANCE_LABELS,
    INSTANCE_LAST_SEEN,
    INSTANCE_P95,
    SeriesPart,
    fleet_name,
)
from claudescope_alerts.promql.selectors import Match, SelectorBuilder, label_selector
from claudescope_alerts.rule_tests.fleet_rollup import (
    derived_rule_test,
    instance_rule_test,
    last_seen_rule_test,
    rollup_rule_test,
)
from claudescope_alerts.rules.model import Group, Recording
from claudescope_alerts.rules.sli import CHAT, ENDED, FAILED
from claudescope_alerts.spec.model import Spec

__all__ = ["INSTANCE_INTERVAL", "fleet_groups", "newest_sample"]

INSTANCE_INTERVAL: Final = 5
"""Minutes between evaluations of the rules by instance: the window of their rates, so that the windows meet."""


def newest_sample(selectors: SelectorBuilder, by: Iterable[str], selector: str) -> str:
    """PromQL of the time of the newest sample of some series, in Unix seconds, by labels."""
    return f"max by {selectors.by(*by)} (timestamp({selector}))"


def fleet_groups(spec: Spec, selectors: SelectorBuilder) -> list[Group]:
    """The rules of the fleet rollup; none without `fleet_rollup: true`."""
    if not spec.fleet_rollup:
        return []
    labels = spec.service.own_labels
    rollups = [
        Group(
            f"fleet-{name}",
            tuple(Recording(fleet_name(*entry), _rollup(spec, selectors, *entry), labels) for entry in entries),
            (rollup_rule_test(selectors, entries, label_selector(labels)),),
        )
        for name, entries in FLEET_GROUPS.items()
    ]
    return [*rollups, *_instance_groups(spec, selectors)]


def _rollup(spec: Spec, selectors: SelectorBuilder, metric: Metric, part: SeriesPart) -> str:
    scraped = dict.fromkeys(("job", *spec.service.labels, *spec.service.deployment_labels))
    kept: tuple[Label | str, ...] = (*scraped, *metric.labels)
    if metric in GAUGE_AGGREGATIONS:
        return f"{GAUGE_AGGREGATIONS[metric]} by {selectors.by(*kept)} ({selectors.select(metric)})"
    return _summed_rate(selectors, metric, part, kept)


def _summed_rate(selectors: SelectorBuilder, metric: Metric, part: SeriesPart, kept: tuple[Label | str, ...]) -> str:
    """The rate, summed over instances. A native histogram is recorded under the name of the buckets of classic ones."""
    if part == "bucket":
        return selectors.by_bucket(metric, by=kept)
    return f"sum by {selectors.by(*kept)} (rate({selectors.select(metric, part=part, window='5m')}))"


def _instance_groups(spec: Spec, selectors: SelectorBuilder) -> list[Group]:
    """What is recorded of each instance, for the dashboard Fleet."""
    labels = spec.service.own_labels
    own = label_selector(labels)
    scraped = tuple(dict.fromkeys(("job", "instance", *spec.service.labels, *spec.service.deployment_labels)))
    rates = {
        fleet_name(metric, part, by_instance=True): _summed_rate(selectors, metric, part, (*scraped, *kept))
        for (metric, part), kept in INSTANCE_LABELS.items()
    }
    last_seen = newest_sample(selectors, scraped, selectors.select(CALLS))
    return [
        Group(
            "fleet-by-instance",
            tuple(
                Recording(name, expr, labels) for name, expr in (*rates.items(), *_derived(selectors, scraped).items())
            ),
            (instance_rule_test(selectors, own), derived_rule_test(selectors, own)),
            interval=INSTANCE_INTERVAL,
        ),
        Group(
            "fleet-last-seen",
            (Recording(INSTANCE_LAST_SEEN.name, last_seen, labels),),
            (last_seen_rule_test(selectors, own),),
        ),
    ]


def _derived(selectors: SelectorBuilder, scraped: tuple[str, ...]) -> dict[str, str]:
    """Series that are computed from the rates by instance: expression by name."""
    by, with_le = selectors.by(*scraped), selectors.by(*scraped, "le")

    def summed(labels: str, metric: Metric, part: SeriesPart, *matches: Match) -> str:
        name = fleet_name(metric, part, by_instance=True)
        return f"sum by {labels} ({selectors.fleet(name, metric, *matches, part=part)})"

    failed, ended = summed(by, CALLS, "", FAILED), summed(by, CALLS, "", ENDED)
    return {
        INSTANCE_FAILED_RATIO.name: f"({failed} or 0 * {ended}) / ({ended} > 0)",
        INSTANCE_P95.name: f"histogram_quantile(0.95, {summed(with_le, DURATION, 'bucket', CHAT)})",
    }
