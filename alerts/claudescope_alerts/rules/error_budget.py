"""Rules of one objective: its SLI over every window, its budget, its burn rates and its burn alerts.

The SLI is never NaN and never missing while there is traffic: `(bad or 0 * events) / (events > 0)`. The budget over the
whole period weighs every event alike, `sum(bad) / sum(total)`; an average of ratios would let one bad night with three
calls count as much as a day with a million.

Windows of up to an hour ask the raw series. Each longer one is the sum of the next shorter one, as it is now and as it
was recorded before, end to end: reading the raw series of hours, of a large fleet, takes longer than the minute until
the next evaluation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise
from typing import Final

from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.rules.model import (
    PLAIN,
    Alert,
    Expected,
    Group,
    Query,
    Recording,
    RuleTest,
    counter,
    format_number,
    many_events,
)
from claudescope_alerts.rules.sli import Events, events_of
from claudescope_alerts.spec.burn_rate_tiers import TIERS, WINDOWS, Tier, TierName, write_minutes
from claudescope_alerts.spec.model import Objective, Spec

__all__ = ["BURN_ALERT", "objective_group"]

BURN_ALERT: Final = "ClaudeErrorBudgetBurn"

_PREFIX: Final = "claude_slo"
_WHOLE: Final = 60
"""Minutes of the longest window that asks the raw series."""

_GAP: Final = "30m"
"""How long the end of an earlier part may lie in a gap of what is recorded: what was known before the gap counts."""

_COARSE: Final = 30
"""Minutes between evaluations in the trials of days."""

_STEPS: Final[dict[TierName, tuple[int, int, int]]] = {
    "page-fast": (1, 1, 1),
    "page-slow": (5, 5, 15),
    "ticket-fast": (15, _COARSE, _COARSE),
    "ticket-slow": (15, _COARSE, _COARSE),
}
"""Minutes between samples, between evaluations, and between those of a long trial: as coarse as a tier allows."""

_MANY: Final = many_events(1, Decimal(1))


def _events(window: int) -> str:
    return f"{_PREFIX}:events:rate{write_minutes(window)}"


def _errors(window: int) -> str:
    return f"{_PREFIX}:errors:rate{write_minutes(window)}"


def _ratio(window: int) -> str:
    return f"{_PREFIX}:error_ratio:rate{write_minutes(window)}"


def _burn(window: int) -> str:
    return f"{_PREFIX}:burn_rate:{write_minutes(window)}"


def _failures(window: int) -> str:
    return f"{_PREFIX}:failures:increase{write_minutes(window)}"


def objective_group(objective: Objective, spec: Spec) -> Group:
    """The rules of an objective, and what proves them."""
    names = SelectorBuilder(spec)
    events = events_of(objective.sli, names)
    labels = {"service": spec.service.name, "slo": objective.name}
    recordings = [
        Recording(name, expr, labels) for name, expr in _recordings(objective, events, names, _selector(labels))
    ]
    alerts = [_alert(objective, TIERS[name], events, names, labels) for name in objective.tiers]
    return Group(f"slo-{objective.name}", (*recordings, *alerts), _window_rule_tests(events, labels, objective))


def _selector(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def _recordings(objective: Objective, events: Events, names: SelectorBuilder, own: str) -> list[tuple[str, str]]:
    """Names and expressions. Each query on the raw series stands once, and all else is built on what it recorded."""
    by = f" by {names.by(*events.by)}" if events.by else ""

    def summed(kind: Callable[[int], str], window: int) -> str:
        # Parts for which nothing was recorded count as without events, as in a rate.
        part = WINDOWS[WINDOWS.index(window) - 1]
        now, earlier = f"{kind(part)}{own}", range(part, window, part)
        before = (f"last_over_time({now}[{_GAP}] offset {write_minutes(minutes)})" for minutes in earlier)
        # Another label for each, as `or` takes two with the same labels for one.
        told = (f'label_replace({one}, "part", "{number}", "", "")' for number, one in enumerate(before, 1))
        return f"sum{by} ({' or '.join([now, *told])}) / {window // part}"

    rules: list[tuple[str, str]] = []
    for window in WINDOWS:
        name = write_minutes(window)
        if window > _WHOLE:
            rules += [(_events(window), summed(_events, window)), (_errors(window), summed(_errors, window))]
            continue
        rules += [
            (_events(window), events.total(name)),
            # Without its own labels, the number of events fills in where bad ones were never seen.
            (_errors(window), f"{events.bad(name)} or 0 * sum{by} ({_events(window)}{own})"),
        ]
    rules += [(_ratio(window), f"{_errors(window)}{own} / ({_events(window)}{own} > 0)") for window in WINDOWS]
    budget, period = format_number(objective.budget), objective.window
    rules += [(_burn(window), f"{_ratio(window)}{own} / {budget}") for window in WINDOWS]
    longs = sorted({tier.long for tier in TIERS.values()})
    rules += [(_failures(window), f"{_errors(window)}{own} * {window * 60}") for window in longs]
    period_ratio = f"{_PREFIX}:error_ratio:period"
    errors, total = (f"sum_over_time({kind(WINDOWS[0])}{own}[{period}])" for kind in (_errors, _events))
    return [
        *rules,
        (period_ratio, f"{errors} / ({total} > 0)"),
        (f"{_PREFIX}:error_budget:remaining", f"1 - {period_ratio}{own} / {budget}"),
        (f"{_PREFIX}:objective:ratio", f"vector({format_number(objective.target / 100)})"),
        (f"{_PREFIX}:error_budget:ratio", f"vector({budget})"),
        (f"{_PREFIX}:period:days", f"vector({objective.period_days})"),
    ]


def _alert(objective: Objective, tier: Tier, events: Events, names: SelectorBuilder, labels: dict[str, str]) -> Alert:
    own, factor = _selector(labels), format_number(tier.factor(objective.period_days))
    long, short = write_minutes(tier.long), write_minutes(tier.short)
    expr = (
        f"{_burn(tier.long)}{own} > {factor} and {_burn(tier.short)}{own} > {factor} "
        f"and {_failures(tier.long)}{own} >= {objective.min_failures}"
    )
    model = " for $model" if events.by else ""
    return Alert(
        BURN_ALERT,
        expr,
        severity=tier.severity,
        owner=objective.owner,
        summary=f"{labels['service']}: the error budget of {objective.name}{model} burns $value times too fast",
        description=f"Over the last {long} and {short}, {objective.name}{model} failed more than {factor} times as "
        f"often as its objective of {format_number(objective.target)} % over {objective.window} allows; "
        f"over {long} it was $value times.",
        for_=tier.for_,
        keep_firing_for=tier.keep_firing_for,
        labels={"slo": objective.name, "tier": tier.name},
        shown={"model": names.template(events.by[0])} if events.by else {},
        value=PLAIN,
        dashboard="slo",
        narrowed={"model": "model"} if events.by else {},
        rule_tests=_tier_rule_tests(objective, tier, events, names, own),
    )


@dataclass(frozen=True, slots=True)
class _SeriesBuilder:
    """Makes the series of a trial.

    Attributes:
        events: What is counted.
        many: Events from sample to sample: any guard on their number is met at once.
        every: Minutes between samples.
    """

    events: Events
    many: Decimal
    every: int = 1

    def told(self, *segments: tuple[int, Decimal | float, Decimal | float]) -> dict[str, str]:
        """Series of so many minutes with so many bad and good events from sample to sample."""
        told = [(minutes, Decimal(str(bad)), Decimal(str(good))) for minutes, bad, good in segments]
        # Far from zero: Prometheus extrapolates a counter less if it could not have been positive before.
        start = 20 * self.many
        return self.events.simulate(
            counter(*((minutes, bad) for minutes, bad, _ in told), start=start, every=self.every),
            counter(*((minutes, good) for minutes, _, good in told), start=start, every=self.every),
            counter(*((minutes, bad + good) for minutes, bad, good in told), start=2 * start, every=self.every),
        )

    def ratio(self, *segments: tuple[int, Decimal | int]) -> dict[str, str]:
        """Series of so many minutes, in which a share of many events is bad."""
        return self.told(*((minutes, ratio * self.many, (1 - ratio) * self.many) for minutes, ratio in segments))


def _tier_rule_tests(
    objective: Objective, tier: Tier, events: Events, names: SelectorBuilder, own: str
) -> tuple[RuleTest, ...]:
    factor = tier.factor(objective.period_days)
    limit, fails = factor * objective.budget, objective.min_failures
    every, step, coarse = _STEPS[tier.name]
    # As few samples as are enough for the windows of this tier.
    story = _SeriesBuilder(events, many_events(fails, limit), every)
    over, under = min(limit * Decimal("1.01"), Decimal(1)), limit * Decimal("0.99")
    ended, last = tier.for_ + 4 * step, tier.for_ + 6 * step
    by = {names.label(label): events.labels[label] for label in events.by}
    shown = {"model": events.labels[events.by[0]]} if events.by else {}
    burning = Expected(tier.for_ + 2 * step, f"{float(over / objective.budget):.4g}", by, shown)
    gone = ended + tier.short + tier.keep_firing_for
    still = Query(gone, f"{_burn(tier.long)}{own} > {format_number(factor)}", 1)
    # As bad as can be for as long as the long window stays at nine tenths of its limit.
    spent = limit * tier.long * Decimal("0.9")
    burst = int((spent / step).to_integral_value(ROUND_CEILING)) * step
    calm = (tier.long + burst + tier.short + tier.for_) // coarse * coarse + coarse
    return tuple(
        replace(rule_test, name=f"{tier.name} {rule_test.name}", step=max(rule_test.step, step), every=every)
        for rule_test in (
            RuleTest(
                f"fires after {tier.for_} minutes just over its burn rate, and resolves",
                story.ratio((ended, over), (tier.keep_firing_for + 2 * step, 0)),
                silent=(tier.for_, ended + tier.keep_firing_for + step),
                firing=(tier.for_ + step, ended + tier.keep_firing_for),
                expected=burning,
            ),
            RuleTest(
                "is silent just under its burn rate",
                story.ratio((last, under)),
                silent=tuple(range(step, last + 1, step)),
            ),
            RuleTest(
                f"resolves {write_minutes(tier.short)} after an outage that the long window still sees",
                story.ratio((ended, 1), (gone + step - ended, 0)),
                silent=(gone,),
                firing=(ended + tier.keep_firing_for,),
                queries=(still,) if ended / Decimal(gone) > limit * Decimal("1.1") else (),
            ),
            RuleTest(
                "is silent on a burst that spends too little",
                story.ratio((tier.long, 0), (burst, spent / burst), (calm - tier.long - burst, 0)),
                silent=tuple(range(tier.long, calm, coarse)),
                step=coarse,
            ),
            *_low_traffic_rule_tests(story, tier, fails, step),
        )
    )


def _low_traffic_rule_tests(story: _SeriesBuilder, tier: Tier, fails: int, step: int) -> tuple[RuleTest, ...]:
    """Nothing but failures: their share is 100 %, and only their number tells."""
    every = story.every
    # From here on Prometheus' extrapolation of an increase adds less than what is left out.
    few = Decimal(fails - 1) if fails <= 20 else Decimal(fails) * Decimal("0.95")
    some, more = min(fails - 1, 20), min(2 * fails, 40)
    half = more // 2
    lasted = -(-some * every // step) * step
    end = 3 * step + lasted + tier.short + tier.for_
    fires = 3 * step - (-half * every // step) * step + tier.for_
    outage = RuleTest(
        "fires on a small total outage",
        story.told((2 * step, 0, 0), (more * every, Decimal(2 * fails) / more, 0), (tier.for_ + step, 0, 0)),
        firing=(fires,),
    )
    if not some:
        return (outage,)
    return (
        RuleTest(
            f"is silent on {format_number(few)} failures, though nothing else was called",
            story.told((2 * step, 0, 0), (some * every, few / some, 0), (end, 0, 0)),
            silent=tuple(range(step, end + 1, step)),
        ),
        outage,
    )


def _window_rule_tests(events: Events, labels: dict[str, str], objective: Objective) -> tuple[RuleTest, ...]:
    """Ten minutes of outage after more history than the longest window: each window must see its own share of it."""
    own, hour, burst, step = _selector(labels), 60, 10, _COARSE
    told = _SeriesBuilder(events, _MANY).told
    end = WINDOWS[-1] + step
    queries: list[Query] = []
    for window in WINDOWS:
        burning = min(burst / window, 1)
        # Versions of Prometheus count w or w - 1 of the minutes of a window: rounding to a tenth allows either.
        ratio = f"round({_ratio(window)}{own} / {burning!r}, 0.1) == 1"
        burn = f"round({_burn(window)}{own} * {format_number(objective.budget)} / {burning!r}, 0.1) == 1"
        queries += [Query(end, ratio, 1), Query(end, burn, 1)]
    for window in sorted({tier.long for tier in TIERS.values()}):
        queries.append(Query(end, f"round({_failures(window)}{own} / {burst * _MANY}, 0.1) == 1", 1))
    silent, again = end + 2 * step, end + 3 * step
    every = "|".join(f"{_PREFIX}:{name}:.+" for name in ("error_ratio", "burn_rate", "error_budget", "failures"))
    nan = f'{{__name__=~"{every}"}}'
    queries += [Query(minute, f"sum({nan}) != sum({nan})", None) for minute in (step, end, silent, again)]
    # While nothing is called there is no ratio, rather than a wrong one; the budget of the period stays known.
    queries += [Query(silent, f"{_ratio(WINDOWS[0])}{own}", None)]
    remaining = f"{_PREFIX}:error_budget:remaining{own}"
    queries += [Query(minute, remaining, 1) for minute in (end, silent, again)]
    story = told((end - burst, 0, _MANY), (burst, _MANY, 0), (2 * step, 0, 0), (step, 0, _MANY))
    healthy = told((8 * hour, 0, _MANY))
    # A kind of error that never happened has no series at all.
    flat = {counter((8 * hour, 0), start=start) for start in (20 * _MANY, 40 * _MANY)}
    healthy = {series: values for series, values in healthy.items() if values not in flat}
    # A tenth of the events of a short, busy day fails, then come quiet hours: an average of ratios would say far less.
    weighted = told((2 * hour, _MANY / 10, _MANY * 9 / 10), (10 * hour, 0, 1))
    exact = f"round({_PREFIX}:error_ratio:period{own}, 0.001) == 0.1"
    # Not where two parts meet: what happens between the last sample of one and the first of the next is in neither.
    seen = told((end + burst, 0, _MANY), (burst, _MANY, 0), (end + WINDOWS[-1] // 2, 0, _MANY))
    return (
        RuleTest(
            "each window sees its own share of an outage, and none is NaN", story, queries=tuple(queries), step=step
        ),
        RuleTest(
            "each window sees an outage for as long as it lasts", seen, queries=_parts(own, end, burst), step=step
        ),
        RuleTest(
            "the whole budget remains while all is well",
            healthy,
            queries=(Query(6 * hour, f"{remaining} == 1", 1), Query(6 * hour, f"{_ratio(WINDOWS[0])}{own} == 0", 1)),
            step=hour,
        ),
        RuleTest("the period weighs every event alike", weighted, queries=(Query(10 * hour, exact, 1),), step=hour),
    )


def _parts(own: str, begin: int, burst: int) -> tuple[Query, ...]:
    """An outage in each part that a window is put together from, and after the last of them."""
    queries: list[Query] = []
    for part, window in pairwise(WINDOWS):
        if window > _WHOLE:
            exact = f"{_ratio(window)}{own} / {burst / window!r}"
            middles = [begin + earlier + part // 2 for earlier in range(0, window, part)]
            queries += [Query(minute, f"round({exact}, 0.1) == 1", 1) for minute in middles]
            queries.append(Query(begin + window + part // 2, f"{_ratio(window)}{own} == 0", 1))
    return tuple(queries)
