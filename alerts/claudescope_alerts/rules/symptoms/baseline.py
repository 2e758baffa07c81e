"""Alerts on latency, tokens and cost that are far from their baseline.

The baseline is the median of the hour around the same time one, two, three and seven days ago, of which at least three
must be known: one bad day does not become the baseline, and a new model has none before it has a history.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from claudescope.schema.catalogue import (
    CALLS,
    COST,
    DURATION,
    OPERATION,
    OUTCOME,
    REQUEST_MODEL,
    TIME_TO_FIRST_CHUNK,
    TOKEN_TYPE,
    TOKENS,
    Label,
    Metric,
)
from claudescope.schema.dashboard_uid import DashboardName
from claudescope.schema.error_types import Owner
from claudescope.schema.recorded_series import (
    COST_PER_CALL,
    DURATION_P95,
    FIRST_TOKEN_P95,
    TOKENS_PER_CALL,
    BaselineSeries,
)
from claudescope_alerts.promql.numbers import format_number, just_over
from claudescope_alerts.promql.selectors import Match, SelectorBuilder, label_selector
from claudescope_alerts.rule_tests.baseline import AverageSeries, BaselineTest, LatencySeries, LevelSeries
from claudescope_alerts.rules.model import FOUR_DIGITS, Alert, Group, Recording
from claudescope_alerts.rules.sli import CHAT, COUNTED_BY
from claudescope_alerts.spec.burn_rate_tiers import write_minutes
from claudescope_alerts.spec.model import Spec

__all__ = ["groups"]

_DAYS: Final = (1, 2, 3, 7)
_MIN_DAYS: Final = 3
_FOR: Final = 30
"""Minutes that a deviation must last, and for which the alert fires after it ended."""

_MODEL: Final = "claude-test-model"


@dataclass(frozen=True, slots=True)
class _Quantity:
    """A quantity that is compared with its baseline.

    Attributes:
        alert: Name of the alert.
        recorded: The series that are recorded.
        now: PromQL of the quantity now.
        hour: PromQL of the quantity over the last hour.
        calls: PromQL of the number of calls behind `now`.
        by: The label that tells apart what has a baseline of its own; None for one baseline.
        by_value: Value of that label in rule tests.
        factor: How many times the baseline is too much.
        subject: Subject and verb of the summary: "a call costs".
        meaning: What it means for users.
        advice: What to do first.
        owner: Who can mend it.
        dashboard: The dashboard that it links to.
        settles: Minutes after a change until all of `now` shows it.
        simulated: Makes the series of the rule tests.
        floor: Value below which it is never too much; 0 for none.
        floor_ratio: The floor, divided by the baseline of the rule tests.
        alerts_below: Whether too little alerts too.
    """

    alert: str
    recorded: BaselineSeries
    now: str
    hour: str
    calls: str
    by: Label | None
    by_value: str
    factor: Decimal
    subject: str
    meaning: str
    advice: str
    owner: Owner
    dashboard: DashboardName
    settles: int
    simulated: LevelSeries
    floor: float = 0
    floor_ratio: Decimal = Decimal(0)
    alerts_below: bool = False

    @property
    def least(self) -> Decimal | None:
        """How many times the baseline is too little; None where too little does not alert."""
        return round(1 / self.factor, 4) if self.alerts_below else None


def groups(spec: Spec, selectors: SelectorBuilder) -> list[Group]:
    """What is recorded, and the alerts on it."""
    quantities = {
        "baseline-duration-p95": _duration(spec, selectors),
        "baseline-first-token-p95": _first_token(spec, selectors),
        "baseline-tokens-per-call": _tokens(spec, selectors),
        "baseline-cost-per-call": _cost(spec, selectors),
    }
    return [Group(name, (*_recordings(quantity, spec, selectors), _alert(quantity, spec, selectors)))
            for name, quantity in quantities.items()]  # fmt: skip


def _recordings(quantity: _Quantity, spec: Spec, selectors: SelectorBuilder) -> list[Recording]:
    # All are recorded with the same labels, so that they match without `on (...)`: Prometheus 3.5 loses the quotes of a
    # dotted name there when it evaluates an alert.
    labels = spec.service.own_labels
    hour = f"{quantity.recorded.hour.name}{label_selector(labels)}"
    days = " or ".join(
        # The hour around the same time: it ends half an hour later in the day.
        f'label_replace({hour} offset {day * 24 - 1}h30m, "day", "{day}", "", "")'
        for day in _DAYS
    )
    grouped = f"by {selectors.by(quantity.by)}" if quantity.by else "without (day)"
    median = f"quantile {grouped} (0.5, {days}) and count {grouped} ({days}) >= {_MIN_DAYS}"
    return [
        Recording(quantity.recorded.now.name, quantity.now, labels),
        Recording(quantity.recorded.hour.name, quantity.hour, labels),
        Recording(quantity.recorded.baseline.name, median, labels),
        Recording(quantity.recorded.calls.name, quantity.calls, labels),
    ]


def _alert(quantity: _Quantity, spec: Spec, selectors: SelectorBuilder) -> Alert:
    own = label_selector(spec.service.own_labels)
    now, baseline, calls = (
        f"{series.name}{own}" for series in (quantity.recorded.now, quantity.recorded.baseline, quantity.recorded.calls)
    )
    factor, least = format_number(quantity.factor), quantity.least
    deviates = f"({now} / {baseline} > {factor}"
    if quantity.floor:
        deviates += f" and {now} >= {format_number(quantity.floor)}"
    deviates += ")"
    threshold = f"{factor} times the baseline"
    if least is not None:
        deviates = f"({deviates} or {now} / {baseline} < {format_number(least)})"
        threshold = f"more than {factor} times or less than {format_number(least)} times the baseline"
    by_labels = {selectors.label(quantity.by): quantity.by_value} if quantity.by else {}
    return Alert(
        quantity.alert,
        f"{deviates} and {calls} >= {spec.thresholds.min_calls}",
        severity="ticket",
        owner=quantity.owner,
        summary=f"{spec.service.name}: {quantity.subject} $value times the baseline",
        description=f"{quantity.subject[0].upper()}{quantity.subject[1:]} $value times the baseline, over the last "
        f"{write_minutes(quantity.settles)}. The baseline is the median of this hour on earlier days. "
        f"{quantity.meaning} Threshold: {threshold}, for {write_minutes(_FOR)}. What to do first: {quantity.advice}",
        for_=_FOR,
        keep_firing_for=_FOR,
        placeholders={"by": selectors.template(quantity.by)} if quantity.by else {},
        value_format=FOUR_DIGITS,
        dashboard=quantity.dashboard,
        dashboard_variables={"model": "by"} if quantity.by is REQUEST_MODEL else {},
        rule_tests=BaselineTest(
            simulated=quantity.simulated,
            factor=quantity.factor,
            least=least,
            floor_ratio=quantity.floor_ratio if quantity.floor else None,
            min_calls=spec.thresholds.min_calls,
            settles=quantity.settles,
            interval=_FOR,
            labels=by_labels,
            placeholders={"by": quantity.by_value} if quantity.by else {},
        ).rule_tests(),
    )


def _duration(spec: Spec, selectors: SelectorBuilder) -> _Quantity:
    return _latency(
        spec,
        selectors,
        DURATION,
        Match(OUTCOME, ("ok",)),
        alert="ClaudeDurationHigh",
        recorded=DURATION_P95,
        subject="p95 duration of calls to $by is",
        meaning="Users wait longer for whole answers.",
        advice="check whether answers have become longer, then check status.claude.com.",
    )


def _first_token(spec: Spec, selectors: SelectorBuilder) -> _Quantity:
    return _latency(
        spec,
        selectors,
        TIME_TO_FIRST_CHUNK,
        alert="ClaudeFirstTokenSlow",
        recorded=FIRST_TOKEN_P95,
        subject="p95 time to first token of $by is",
        meaning="Users wait longer before an answer starts.",
        advice="check whether inputs have become longer or the cache hit rate fell, then check status.claude.com.",
    )


def _latency(
    spec: Spec,
    selectors: SelectorBuilder,
    metric: Metric,
    *matches: Match,
    alert: str,
    recorded: BaselineSeries,
    subject: str,
    meaning: str,
    advice: str,
) -> _Quantity:
    """The p95 of a histogram, by model."""
    floor = spec.thresholds.p95_floor

    def p95(window: str) -> str:
        return selectors.quantile(0.95, metric, CHAT, *matches, by=(REQUEST_MODEL,), window=window)

    labels = {OPERATION: "chat", REQUEST_MODEL: _MODEL, **{match.label: match.values[0] for match in matches}}
    simulated = LatencySeries.above(
        floor, just_over(spec.thresholds.p95_over_baseline), metric, COUNTED_BY[metric], labels, selectors
    )
    calls = selectors.select(COUNTED_BY[metric], CHAT, *matches, window="10m")
    return _Quantity(
        alert,
        recorded,
        now=p95("10m"),
        hour=p95("1h"),
        calls=f"sum by {selectors.by(REQUEST_MODEL)} (increase({calls}))",
        by=REQUEST_MODEL,
        by_value=_MODEL,
        factor=spec.thresholds.p95_over_baseline,
        subject=subject,
        meaning=meaning,
        advice=advice,
        owner="provider",
        dashboard="latency",
        settles=10,
        simulated=simulated,
        floor=floor,
        floor_ratio=Decimal(str(floor)) / simulated.baseline,
    )


def _tokens(spec: Spec, selectors: SelectorBuilder) -> _Quantity:
    by, labels = selectors.by(TOKEN_TYPE), {OPERATION: "chat", TOKEN_TYPE: "input"}
    amount = selectors.select(TOKENS, CHAT, window="1h")
    # Calls that the API billed. Failed ones rarely have tokens, and would pull the average down in an outage.
    calls = selectors.select(CALLS, CHAT, Match(OUTCOME, ("error",), negated=True), window="1h")
    per_call = f"sum by {by} (rate({amount})) / on () group_left () (sum(rate({calls})) > 0)"
    return _Quantity(
        "ClaudeTokensOutOfBand",
        TOKENS_PER_CALL,
        now=per_call,
        hour=per_call,
        calls=f"sum by {by} (0 * increase({amount})) + on () group_left () sum(increase({calls}))",
        by=TOKEN_TYPE,
        by_value="input",
        factor=spec.thresholds.tokens_over_baseline,
        subject="number of $by tokens per call is",
        meaning="Cost and latency change with it.",
        advice="look for a change of prompts, tools, history or max_tokens.",
        owner="caller",
        dashboard="cost",
        settles=60,
        simulated=AverageSeries(
            selectors.series(TOKENS, labels), selectors.series(CALLS, {OPERATION: "chat", OUTCOME: "ok"})
        ),
        alerts_below=True,
    )


def _cost(spec: Spec, selectors: SelectorBuilder) -> _Quantity:
    cost, count = selectors.select(COST, window="1h"), selectors.select(CALLS, window="1h")
    per_call = f"sum(rate({cost})) / (sum(rate({count})) > 0)"
    return _Quantity(
        "ClaudeCostPerCallHigh",
        COST_PER_CALL,
        now=per_call,
        hour=per_call,
        calls=f"sum(increase({count}))",
        by=None,
        by_value="",
        factor=spec.thresholds.cost_over_baseline,
        subject="cost per call is",
        meaning="Users are not affected; the bill is.",
        advice="look for a change of the model, of tokens per call, or of the cache hit rate.",
        owner="caller",
        dashboard="cost",
        settles=60,
        simulated=AverageSeries(
            selectors.series(COST, {OPERATION: "chat"}),
            selectors.series(CALLS, {OPERATION: "chat", OUTCOME: "ok"}),
        ),
    )
