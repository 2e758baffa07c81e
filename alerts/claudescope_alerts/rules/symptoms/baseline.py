"""What is far from usual: latency, tokens and cost against the median of the same hour on earlier days.

The baseline is the median of the hour around the same time one, two, three and seven days ago, of which at least three
must be known: one bad day does not become the norm, and a new model is not judged before it has a history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from typing import Final

from claudescope.schema.catalogue import (
    COST,
    DURATION,
    OPERATION,
    OUTCOME,
    REQUEST_MODEL,
    TIME_TO_FIRST_CHUNK,
    TOKEN_TYPE,
    TOKEN_USAGE,
    Label,
    Metric,
)
from claudescope.schema.dashboard_uid import DashboardName
from claudescope.schema.error_types import Owner
from claudescope_alerts.promql.selectors import Match, SelectorBuilder
from claudescope_alerts.rules.model import PLAIN, Alert, Expected, Group, Recording, RuleTest, counter, format_number
from claudescope_alerts.rules.sli import CHAT
from claudescope_alerts.spec.model import Spec

__all__ = ["groups"]

_DAYS: Final = (1, 2, 3, 7)
_ENOUGH_DAYS: Final = 3
_STEP: Final = 30
_DAY: Final = 1440
_MANY: Final = 1000
_MODEL: Final = "claude-test-model"
_P95: Final = Decimal("0.95")


@dataclass(frozen=True, slots=True)
class _Watched:
    """A number that is compared with its baseline.

    Attributes:
        alert: Name of the alert.
        record: Middle part of the names of what is recorded.
        now: PromQL of the number now.
        hour: PromQL of the number over the last hour.
        calls: PromQL of how many calls are behind `now`.
        by: Labels it is told apart by.
        labels: Their values in trials.
        factor: Times the baseline that are too much.
        floor: Least value that is ever too much.
        floor_ratio: The same in times of what is usual in trials.
        below: Whether too little is wrong too.
        owner: Whose fault.
        what: Subject of the summary.
        advice: End of the description.
        settles: Minutes after a change until all of `now` shows it.
        dashboard: The dashboard that answers it.
    """

    alert: str
    record: str
    now: str
    hour: str
    calls: str
    by: tuple[Label, ...]
    labels: Mapping[Label, str]
    factor: Decimal
    floor: float
    floor_ratio: Decimal
    below: bool
    owner: Owner
    what: str
    advice: str
    settles: int
    dashboard: DashboardName


def groups(spec: Spec, names: SelectorBuilder) -> list[Group]:
    """What is recorded, and the alerts on it."""
    return [
        Group(f"baseline-{watched.record.replace('_', '-')}", tuple(_rules(watched, story, spec, names)))
        for watched, story in (
            _latency(spec, names, DURATION, "ClaudeDurationHigh", "duration_p95", "duration of calls to"),
            _latency(
                spec,
                names,
                TIME_TO_FIRST_CHUNK,
                "ClaudeFirstTokenSlow",
                "first_token_p95",
                "time to the first token of",
            ),
            _tokens(spec, names),
            _cost(spec, names),
        )
    ]


class _SeriesBuilder:
    """Makes the series of a trial from (minutes, times the usual, calls from sample to sample)."""

    every: int
    """Minutes between samples."""

    def __call__(self, *segments: tuple[int, Decimal, Decimal | int]) -> dict[str, str]:
        raise NotImplementedError


def _rules(watched: _Watched, story: _SeriesBuilder, spec: Spec, names: SelectorBuilder) -> list[Recording | Alert]:
    labels = {"service": spec.service.name}
    own = f'{{service="{spec.service.name}"}}'
    by = names.by(*watched.by)
    now, hour, usual, calls = (f"claude:{watched.record}:{part}" for part in ("now", "1h", "baseline", "calls"))
    days = " or ".join(
        # The hour around the same time: it ends half an hour later in the day.
        f'label_replace({hour}{own} offset {day * 24 - 1}h30m, "day", "{day}", "", "")'
        for day in _DAYS
    )
    grouped = f"by {by}" if watched.by else "without (day)"
    median = f"quantile {grouped} (0.5, {days}) and count {grouped} ({days}) >= {_ENOUGH_DAYS}"
    ratio = f"{now}{own} / {usual}{own}"
    too_much = f"({ratio} > {format_number(watched.factor)}"
    if watched.floor:
        too_much += f" and {now}{own} >= {format_number(watched.floor)}"
    too_much += ")"
    if watched.below:
        too_much = f"({too_much} or {ratio} < {format_number(round(1 / watched.factor, 4))})"
    alert = Alert(
        watched.alert,
        f"{too_much} and {calls}{own} >= {spec.thresholds.min_calls}",
        severity="ticket",
        owner=watched.owner,
        summary=f"{spec.service.name}: {watched.what} $value times the usual",
        description="$value times the median of this hour on earlier days; the limit is "
        f"{format_number(watched.factor)} times{', or as many times less' if watched.below else ''}. {watched.advice}",
        for_=_STEP,
        keep_firing_for=_STEP,
        shown={f"l{index}": names.template(label) for index, label in enumerate(watched.by)},
        value=PLAIN,
        dashboard=watched.dashboard,
        narrowed={"model": "l0"} if REQUEST_MODEL in watched.by else {},
        rule_tests=_rule_tests(watched, story, names, spec.thresholds.min_calls),
    )
    # All are recorded with the same labels, so that they match without `on (...)`: Prometheus 3.5 loses the quotes of a
    # dotted name there when it evaluates an alert.
    return [
        Recording(now, watched.now, labels),
        Recording(hour, watched.hour, labels),
        Recording(usual, median, labels),
        Recording(calls, watched.calls, labels),
        alert,
    ]


def _rule_tests(watched: _Watched, story: _SeriesBuilder, names: SelectorBuilder, guard: int) -> tuple[RuleTest, ...]:
    usual, over, under = Decimal(1), watched.factor * Decimal("1.01"), watched.factor * Decimal("0.99")
    start = 3 * _DAY + 2 * 60
    settled = -(-watched.settles // _STEP) * _STEP
    change = settled + 4 * _STEP
    end, fires = start + change, start + settled + _STEP
    # An increase over two samples is told as up to twice what it was.
    few = Decimal(guard - 1) / 2 / watched.settles * story.every
    few = few.quantize(Decimal("0.0001"), ROUND_DOWN)
    during = tuple(range(start, end + 1, _STEP))
    data = {names.label(label): value for label, value in watched.labels.items() if label in watched.by}
    shown = {f"l{index}": watched.labels[label] for index, label in enumerate(watched.by)}
    rule_tests = [
        RuleTest(
            "fires just over its limit against three earlier days, and resolves",
            story((start, usual, _MANY), (change, over, _MANY), (4 * _STEP, usual, _MANY)),
            silent=(fires - _STEP, end + 2 * _STEP),
            firing=(fires, end + _STEP),
            expected=Expected(end, f"{float(over):.4g}", data, shown),
        ),
        RuleTest(
            "is silent just under its limit",
            story((start, usual, _MANY), (change, under, _MANY)),
            silent=during,
        ),
        RuleTest(
            "is silent with two earlier days",
            story((start - _DAY, usual, _MANY), (change, over, _MANY)),
            silent=tuple(minute - _DAY for minute in during),
        ),
        RuleTest(
            "is silent on few calls",
            story((start, usual, _MANY), (change, over, few), (4 * _STEP, usual, few)),
            # The first windows of the change still hold many calls of before.
            silent=during,
        ),
    ]
    if watched.floor:
        low = Decimal("0.99") * watched.floor_ratio / over
        rule_tests.append(
            RuleTest(
                "is silent below its floor",
                story((start, low, _MANY), (change, low * over, _MANY)),
                silent=during,
            )
        )
    if watched.below:
        least = round(1 / watched.factor, 4)
        rule_tests += [
            RuleTest(
                "fires just below its band",
                story((start, usual, _MANY), (change, least * Decimal("0.99"), _MANY)),
                silent=(fires - _STEP,),
                firing=(fires, end),
            ),
            RuleTest(
                "is silent at the lower end of its band",
                story((start, usual, _MANY), (change, least * Decimal("1.01"), _MANY)),
                silent=during,
            ),
        ]
    return tuple(replace(rule_test, step=_STEP, every=story.every) for rule_test in rule_tests)


def _usual_p95(metric: Metric, base: int) -> Decimal:
    """What Prometheus interpolates as the p95 if all calls are in one bucket."""
    lower, upper = (Decimal(str(metric.buckets[index])) for index in (base - 1, base))
    return lower + (upper - lower) * _P95


def _latency(
    spec: Spec, names: SelectorBuilder, metric: Metric, alert: str, record: str, what: str
) -> tuple[_Watched, _SeriesBuilder]:
    by = names.by(REQUEST_MODEL, "le")
    ended = (Match(OUTCOME, ("ok",)),) if metric is DURATION else ()
    labels = {OPERATION: "chat", REQUEST_MODEL: _MODEL} | ({OUTCOME: "ok"} if metric is DURATION else {})

    def p95(window: str) -> str:
        buckets = names.select(metric, CHAT, *ended, part="bucket", window=window)
        return f"histogram_quantile(0.95, sum by {by} (rate({buckets})))"

    calls = names.select(metric, CHAT, *ended, part="count", window="10m")
    base = next(index for index, bound in enumerate(metric.buckets) if index and bound > spec.thresholds.p95_floor)
    watched = _Watched(
        alert,
        record,
        p95("10m"),
        p95("1h"),
        f"sum by {names.by(REQUEST_MODEL)} (increase({calls}))",
        (REQUEST_MODEL,),
        {REQUEST_MODEL: _MODEL},
        spec.thresholds.p95_over_baseline,
        spec.thresholds.p95_floor,
        floor_ratio=Decimal(str(spec.thresholds.p95_floor)) / _usual_p95(metric, base),
        below=False,
        owner="provider",
        what=f"p95 of the {what} $l0 is",
        advice="Look whether answers have become longer, then at status.claude.com.",
        settles=10,
        dashboard="latency",
    )
    return watched, _Buckets(names, metric, labels, base)


class _Buckets(_SeriesBuilder):
    """Histograms with a p95 of exactly so many times the usual one, which is `_usual_p95` of the bucket `base`.

    Args:
        names: Writes the series.
        metric: The histogram.
        labels: Of its series.
        base: Index of the bucket that the usual p95 is in.
    """

    every = 5

    def __init__(self, names: SelectorBuilder, metric: Metric, labels: Mapping[Label, str], base: int) -> None:
        self._names, self._metric, self._labels = names, metric, dict(labels)
        self._bounds = [Decimal(str(bound)) for bound in metric.buckets]
        self._usual = _usual_p95(metric, base)

    def _below(self, p95: Decimal) -> list[Decimal]:
        """Share of calls at or below each bound, for Prometheus to interpolate this p95 within its bucket."""
        place = next(index for index, bound in enumerate(self._bounds) if bound >= p95)
        lower = self._bounds[place - 1] if place else Decimal(0)
        within = (p95 - lower) / (self._bounds[place] - lower)
        if within <= _P95:
            upper = (1 - _P95) / (1 - within)
            ratios = (Decimal(0), 1 - upper, Decimal(1))
        else:
            ratios = (Decimal(0), Decimal(0), _P95 / within)
        before, at_lower, at = (round(ratio, 9) for ratio in ratios)
        return [before if index < place - 1 else at_lower if index < place else at if index == place else Decimal(1)
                for index in range(len(self._bounds))]  # fmt: skip

    def __call__(self, *segments: tuple[int, Decimal, Decimal | int]) -> dict[str, str]:
        ratios = [self._below(times * self._usual) for _, times, _ in segments]
        every = counter(*((minutes, calls) for minutes, _, calls in segments), every=self.every)
        series = {
            self._names.series(self._metric, self._labels, "bucket", le="+Inf"): every,
            self._names.series(self._metric, self._labels, "count"): every,
        }
        for index, bound in enumerate(self._metric.buckets):
            column = [ratio[index] for ratio in ratios]
            if index and all(ratio[index - 1] == 1 for ratio in ratios):
                break
            if not any(column) and not any(ratio[min(index + 1, len(ratio) - 1)] for ratio in ratios):
                continue
            segmented = ((minutes, calls * ratio) for (minutes, _, calls), ratio in zip(segments, column, strict=True))
            name = self._names.series(self._metric, self._labels, "bucket", le=f"{bound:.10g}")
            series[name] = counter(*segmented, every=self.every)
        return series


class _Sums(_SeriesBuilder):
    """Sum and count: an amount per call of 1000 times the usual."""

    every = 10

    def __init__(self, amount: str, calls: str) -> None:
        self._amount, self._calls = amount, calls

    def __call__(self, *segments: tuple[int, Decimal, Decimal | int]) -> dict[str, str]:
        return {
            self._amount: counter(
                *((minutes, times * calls * 1000) for minutes, times, calls in segments),
                start=1_000_000_000,
                every=self.every,
            ),
            self._calls: counter(*((minutes, calls) for minutes, _, calls in segments), every=self.every),
        }


def _tokens(spec: Spec, names: SelectorBuilder) -> tuple[_Watched, _SeriesBuilder]:
    by = names.by(TOKEN_TYPE)
    amount, count = (names.select(TOKEN_USAGE, CHAT, part=part, window="1h") for part in ("sum", "count"))
    per_call = f"sum by {by} (rate({amount})) / (sum by {by} (rate({count})) > 0)"
    labels = {OPERATION: "chat", TOKEN_TYPE: "input"}
    watched = _Watched(
        "ClaudeTokensOutOfBand",
        "tokens_per_call",
        per_call,
        per_call,
        f"sum by {by} (increase({count}))",
        (TOKEN_TYPE,),
        {TOKEN_TYPE: "input"},
        spec.thresholds.tokens_over_baseline,
        0,
        floor_ratio=Decimal(0),
        below=True,
        owner="caller",
        what="$l0 tokens per call are",
        advice="Look for a change of prompts, tools, history or max_tokens.",
        settles=60,
        dashboard="cost",
    )
    return watched, _Sums(names.series(TOKEN_USAGE, labels, "sum"), names.series(TOKEN_USAGE, labels, "count"))


def _cost(spec: Spec, names: SelectorBuilder) -> tuple[_Watched, _SeriesBuilder]:
    cost, count = names.select(COST, window="1h"), names.select(DURATION, part="count", window="1h")
    per_call = f"sum(rate({cost})) / (sum(rate({count})) > 0)"
    watched = _Watched(
        "ClaudeCostPerCallHigh",
        "cost_per_call",
        per_call,
        per_call,
        f"sum(increase({count}))",
        (),
        {},
        spec.thresholds.cost_over_baseline,
        0,
        floor_ratio=Decimal(0),
        below=False,
        owner="caller",
        what="a call costs",
        advice="Look for a change of model, of tokens per call, and of the cache's hits.",
        settles=60,
        dashboard="cost",
    )
    ok = {OPERATION: "chat", OUTCOME: "ok"}
    return watched, _Sums(names.series(COST, {OPERATION: "chat"}), names.series(DURATION, ok, "count"))
