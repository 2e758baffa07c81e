"""What is far from usual: latency, tokens and cost against the median of the same hour on earlier days.

The baseline is the median of the hour around the same time one, two, three and seven days ago, of which at least three
must be known: one bad day does not become the norm, and a new model is not judged before it has a history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from claudescope.catalogue import (
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
from claudescope.errors import Fault
from claudescope_alerts.promql import Match, Names
from claudescope_alerts.rules import Alert, Expected, Group, Recording, Trial, counter, write
from claudescope_alerts.sli import CHAT
from claudescope_alerts.spec import Spec

__all__ = ["groups"]

_DAYS: Final = (1, 2, 3, 7)
_ENOUGH_DAYS: Final = 3
_STEP: Final = 30
_DAY: Final = 1440
_MANY: Final = 1000
_MODEL: Final = "claude-test-model"


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
        below: Whether too little is wrong too.
        fault: Whose fault.
        what: Subject of the summary.
        advice: End of the description.
        settles: Minutes after a change until all of `now` shows it.
        story: Series of so many minutes each at a number of times the usual, with calls a minute.
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
    below: bool
    fault: Fault
    what: str
    advice: str
    settles: int


def groups(spec: Spec, names: Names) -> list[Group]:
    """What is recorded, and the alerts on it."""
    return [
        Group(f"usual-{watched.record.replace('_', '-')}", tuple(_rules(watched, story, spec, names)))
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


class _Story:
    """Makes the series of a trial from (minutes, times the usual, calls a minute)."""

    def __call__(self, *segments: tuple[int, Decimal, Decimal | int]) -> dict[str, str]:
        raise NotImplementedError


def _rules(watched: _Watched, story: _Story, spec: Spec, names: Names) -> list[Recording | Alert]:
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
    too_much = f"({ratio} > {write(watched.factor)}"
    if watched.floor:
        too_much += f" and {now}{own} >= {write(watched.floor)}"
    too_much += ")"
    if watched.below:
        too_much = f"({too_much} or {ratio} < {write(round(1 / watched.factor, 4))})"
    alert = Alert(
        watched.alert,
        f"{too_much} and {calls}{own} >= {spec.guards.min_calls}",
        severity="ticket",
        fault=watched.fault,
        summary=f"{spec.service.name}: {watched.what} $value times the usual",
        description=f"$value times the median of this hour on earlier days; the limit is {write(watched.factor)} times"
        f"{', or as many times less' if watched.below else ''}. {watched.advice}",
        wait=_STEP,
        keep=_STEP,
        shown={f"l{index}": names.template(label) for index, label in enumerate(watched.by)},
        value="humanize",
        trials=_trials(watched, story, names, spec.guards.min_calls),
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


def _trials(watched: _Watched, story: _Story, names: Names, guard: int) -> tuple[Trial, ...]:
    usual, high = Decimal(1), Decimal(4)
    while high <= watched.factor:
        high *= 2
    low = 1 / high
    start = 3 * _DAY + 2 * 60
    settled = -(-watched.settles // _STEP) * _STEP
    change = settled + 4 * _STEP
    end = start + change
    tail = settled + 4 * _STEP
    fires = start + settled + _STEP
    gone = end + settled + 2 * _STEP
    few = round(Decimal(guard - 1) / 2 / watched.settles, 4)
    many = tuple(range(start, end + tail, _STEP))
    data = {names.label(label): value for label, value in watched.labels.items() if label in watched.by}
    shown = {f"l{index}": watched.labels[label] for index, label in enumerate(watched.by)}
    trials = [
        Trial(
            "fires against three earlier days, and resolves",
            story((start, usual, _MANY), (change, high, _MANY), (tail, usual, _MANY)),
            silent=(start, start + _STEP, gone),
            firing=(fires, end),
            expected=Expected(end, f"{float(high):.4g}", data, shown),
            step=_STEP,
        ),
        Trial(
            "is silent with two earlier days",
            story((start - _DAY, usual, _MANY), (change, high, _MANY)),
            silent=tuple(range(start - _DAY, end - _DAY, _STEP)),
            step=_STEP,
        ),
        Trial(
            "is silent on few calls",
            story((start, usual, _MANY), (change, high, few), (tail, usual, few)),
            silent=many,
            step=_STEP,
        ),
    ]
    if watched.below:
        trials.append(
            Trial(
                "fires below its band",
                story((start, usual, _MANY), (change, low, _MANY)),
                firing=(end,),
                step=_STEP,
            )
        )
    return tuple(trials)


def _latency(spec: Spec, names: Names, metric: Metric, alert: str, record: str, what: str) -> tuple[_Watched, _Story]:
    by = names.by(REQUEST_MODEL, "le")
    ended = (Match(OUTCOME, ("ok",)),) if metric is DURATION else ()
    labels = {OPERATION: "chat", REQUEST_MODEL: _MODEL} | ({OUTCOME: "ok"} if metric is DURATION else {})

    def p95(window: str) -> str:
        buckets = names.select(metric, CHAT, *ended, part="bucket", window=window)
        return f"histogram_quantile(0.95, sum by {by} (rate({buckets})))"

    calls = names.select(metric, CHAT, *ended, part="count", window="10m")
    watched = _Watched(
        alert,
        record,
        p95("10m"),
        p95("1h"),
        f"sum by {names.by(REQUEST_MODEL)} (increase({calls}))",
        (REQUEST_MODEL,),
        {REQUEST_MODEL: _MODEL},
        spec.guards.p95_over_baseline,
        spec.guards.p95_floor,
        below=False,
        fault="provider",
        what=f"p95 of the {what} $l0 is",
        advice="Look whether answers have become longer, then at status.claude.com.",
        settles=10,
    )
    base = next(index for index, bound in enumerate(metric.buckets) if index and bound > spec.guards.p95_floor)

    class Buckets(_Story):
        def __call__(self, *segments: tuple[int, Decimal, Decimal | int]) -> dict[str, str]:
            # All calls of a segment lie in one bucket, and buckets double: so does their p95.
            places = [base + (int(times).bit_length() - 1) for _, times, _ in segments]
            series: dict[str, str] = {}
            for index, bound in [*enumerate(metric.buckets), (len(metric.buckets), None)]:
                if bound is not None and not base - 1 <= index <= max(places):
                    continue
                values = counter(
                    *((minutes, calls if index >= place else 0)
                      for (minutes, _, calls), place in zip(segments, places, strict=True))
                )  # fmt: skip
                le = "+Inf" if bound is None else f"{bound:.10g}"
                series[names.series(metric, labels, "bucket", le=le)] = values
                if bound is None:
                    series[names.series(metric, labels, "count")] = values
            return series

    return watched, Buckets()


class _Sums(_Story):
    """Sum and count: an amount per call of 1000 times the usual."""

    def __init__(self, amount: str, calls: str) -> None:
        self._amount, self._calls = amount, calls

    def __call__(self, *segments: tuple[int, Decimal, Decimal | int]) -> dict[str, str]:
        return {
            self._amount: counter(*((minutes, times * calls * 1000) for minutes, times, calls in segments)),
            self._calls: counter(*((minutes, calls) for minutes, _, calls in segments)),
        }


def _tokens(spec: Spec, names: Names) -> tuple[_Watched, _Story]:
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
        spec.guards.tokens_over_baseline,
        0,
        below=True,
        fault="caller",
        what="$l0 tokens per call are",
        advice="Look for a change of prompts, tools, history or max_tokens.",
        settles=60,
    )
    return watched, _Sums(names.series(TOKEN_USAGE, labels, "sum"), names.series(TOKEN_USAGE, labels, "count"))


def _cost(spec: Spec, names: Names) -> tuple[_Watched, _Story]:
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
        spec.guards.cost_over_baseline,
        0,
        below=False,
        fault="caller",
        what="a call costs",
        advice="Look for a change of model, of tokens per call, and of the cache's hits.",
        settles=60,
    )
    ok = {OPERATION: "chat", OUTCOME: "ok"}
    return watched, _Sums(names.series(COST, {OPERATION: "chat"}), names.series(DURATION, ok, "count"))
