"""What each preset of an SLI counts: rates of bad events and of all events, as sums of selectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from claudescope.schema.catalogue import (
    CALLS,
    DURATION,
    ERROR_TYPE,
    OPERATION,
    OUTCOME,
    OWNER,
    REQUEST_MODEL,
    RETRIES,
    STREAM_STALL,
    STREAMS,
    TIME_TO_FIRST_CHUNK,
    Label,
    Metric,
)
from claudescope.schema.error_types import ERROR_TYPES
from claudescope.schema.recorded_series import SeriesPart
from claudescope_alerts.promql.selectors import Match, SelectorBuilder
from claudescope_alerts.rule_tests.series import Simulate, histogram_series
from claudescope_alerts.spec.fields import bucket, label_named, metric_named
from claudescope_alerts.spec.objectives import Preset, Selection, Sli

__all__ = ["BAD_EVENTS", "CHAT", "COUNTED_BY", "ENDED", "FAILED", "Events", "events_of"]

CHAT: Final = Match(OPERATION, ("chat", "text_completion"))
"""Calls that users wait for."""

ENDED: Final = Match(OUTCOME, ("cancelled", "abandoned"), negated=True)
"""Calls that ended. Calls that the app itself cancelled or abandoned say nothing about the service."""

FAILED: Final = Match(OUTCOME, ("error",))
"""Calls that ended in an error."""

_NOT_CALLERS: Final = Match(
    ERROR_TYPE, tuple(row.name for row in ERROR_TYPES.values() if not row.in_budget), negated=True
)

COUNTED_BY: Final[Mapping[Metric, Metric]] = {DURATION: CALLS, TIME_TO_FIRST_CHUNK: STREAMS, STREAM_STALL: STREAMS}
"""The counter of what a histogram measures, by histogram."""

_MODEL: Final = "claude-test-model"
_UNRELATED: Final = "0+7777x5000"
"""A busy counter that must not change the result of a rule test."""

_NONE: Final = "0+0x5000"

BAD_EVENTS: Final[Mapping[Preset, str]] = {
    "claude-availability": "Failed calls",
    "claude-first-token": "Streams with a slow first token",
    "claude-duration": "Slow calls",
    "claude-without-retry": "Failed or repeated attempts",
    "custom": "Bad events",
}
"""The bad events of each preset, as the subject of a sentence."""

Rate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Events:
    """How the events of an SLI are counted, and how a rule test simulates them.

    Attributes:
        bad: PromQL of the rate of bad events over a window.
        total: PromQL of the rate of all events over a window.
        by: Labels whose values each have an error budget.
        simulate: Makes the series of a rule test.
        labels: Values of the labels in that test.
        measured: Whether bad events are known only where a histogram tells how many there are. Otherwise there are none
            where none was counted.
    """

    bad: Rate
    total: Rate
    by: tuple[Label, ...]
    simulate: Simulate
    labels: dict[Label, str]
    measured: bool = False


def events_of(sli: Sli, selectors: SelectorBuilder) -> Events:
    """The events of an SLI.

    Args:
        sli: The SLI of an objective.
        selectors: Writes its selectors.
    """
    counting = _Counting(sli, selectors)
    if sli.bad is not None and sli.total is not None:
        return counting.custom(sli.bad, sli.total)
    if sli.preset == "claude-first-token":
        return counting.slow(TIME_TO_FIRST_CHUNK, (CHAT,), {})
    if sli.preset == "claude-duration":
        return counting.slow(DURATION, (CHAT, Match(OUTCOME, ("ok",))), {OUTCOME: "ok"})
    return counting.failing(retries=sli.preset == "claude-without-retry")


class _Counting:
    def __init__(self, sli: Sli, selectors: SelectorBuilder) -> None:
        self._sli = sli
        self._selectors = selectors
        self._by = (REQUEST_MODEL,) if sli.per_model else ()
        self._models = (Match(REQUEST_MODEL, tuple(sli.models)),) if sli.models else ()
        self._common: dict[Label, str] = {OPERATION: "chat", REQUEST_MODEL: sli.models[0] if sli.models else _MODEL}

    def _rate(self, metric: Metric, *matches: Match, part: SeriesPart = "") -> Rate:
        return self._summed(self._series_rate(metric, *matches, part=part))

    def _series_rate(self, metric: Metric, *matches: Match, part: SeriesPart = "") -> Rate:
        def of_window(window: str) -> str:
            return f"rate({self._selectors.select(metric, *matches, *self._models, part=part, window=window)})"

        return of_window

    def _summed(self, *rates: Rate) -> Rate:
        """The sum of several metrics' rates. No two of their series may have the same labels."""
        by = f" by {self._selectors.by(*self._by)}" if self._by else ""
        return lambda window: f"sum{by} ({' or '.join(rate(window) for rate in rates)})"

    def slow(self, metric: Metric, matches: tuple[Match, ...], labels: dict[Label, str]) -> Events:
        """Records of a histogram that are over the threshold."""
        le = bucket(metric, self._sli.threshold or 0)
        counter = COUNTED_BY[metric]
        total = self._rate(counter, *matches)
        series = self._selectors.series

        def bad(window: str) -> str:
            within = self._selectors.within(metric, le, *matches, *self._models, by=self._by, window=window)
            return f"{total(window)} * (1 - ({within}))"

        def simulate(_bad: str, good: str, both: str) -> dict[str, str]:
            # No user waits for these calls, so they may be slow; nor for one that the app cancelled.
            unrelated = [{**self._common, OPERATION: "models.list"}]
            if labels:
                unrelated.append({**self._common, OUTCOME: "cancelled"})
            result = {series(counter, self._common | labels): both, series(counter, unrelated[0]): _UNRELATED}
            result |= histogram_series(self._selectors, metric, self._common | labels, {le: good, "+Inf": both})
            for others in unrelated:
                result |= histogram_series(self._selectors, metric, others, {le: _NONE, "+Inf": _UNRELATED})
            return result

        return Events(bad, total, self._by, simulate, self._common, measured=True)

    def failing(self, *, retries: bool) -> Events:
        """Calls that failed for a reason that is not in their request; with `retries`, repeated attempts too."""
        owners = self._sli.owner
        error_types = tuple(
            row.name for row in ERROR_TYPES.values() if row.in_budget and (not owners or row.owner in owners)
        )
        failed = self._series_rate(CALLS, CHAT, FAILED, Match(ERROR_TYPE, error_types))
        calls = self._series_rate(CALLS, CHAT, ENDED, _NOT_CALLERS)
        series = self._selectors.series

        def simulate(bad: str, good: str, _both: str) -> dict[str, str]:
            aside = next(row.name for row in ERROR_TYPES.values() if not row.in_budget)
            error = {**self._common, OUTCOME: "error"}
            return {
                series(CALLS, self._common | {OUTCOME: "ok"}): good,
                series(CALLS, error | {OWNER: ERROR_TYPES[error_types[0]].owner, ERROR_TYPE: error_types[0]}): bad,
                # None of these counts: a cancelled call, a mistake of the caller, and a call that no user waits for.
                series(CALLS, {**self._common, OUTCOME: "cancelled"}): _UNRELATED,
                series(CALLS, error | {OWNER: ERROR_TYPES[aside].owner, ERROR_TYPE: aside}): _UNRELATED,
                series(CALLS, {OPERATION: "models.list", OUTCOME: "ok"}): _UNRELATED,
            }

        if not retries:
            return Events(self._summed(failed), self._summed(calls), self._by, simulate, self._common)
        # Retries have no outcome, and calls always have one: summed as one vector, each series is read once.
        retried = self._series_rate(RETRIES, CHAT)

        def simulate_retries(bad: str, good: str, both: str) -> dict[str, str]:
            # All bad attempts were repeated with success, so the calls are the good ones, and none failed.
            result = simulate("1000000x5000", good, both)
            return result | {series(RETRIES, self._common | {ERROR_TYPE: error_types[0]}): bad}

        attempts, ended = self._summed(calls, retried), self._summed(calls)
        return Events(
            self._summed(failed, retried),
            # Retries alone are not all attempts: without calls there is no ratio.
            lambda window: f"{attempts(window)} and {ended(window)}",
            self._by,
            simulate_retries,
            self._common,
        )

    def custom(self, bad: Selection, total: Selection) -> Events:
        """The events that the spec selects."""
        bad_rate, total_rate = self._selected(bad), self._selected(total)

        def simulate(bad_values: str, good_values: str, both: str) -> dict[str, str]:
            if bad.metric == total.metric:
                # Good events differ from bad ones in one label, if possible in one that `total` does not select by.
                name, other = next(
                    (name, other)
                    for name in sorted(bad.match, key=lambda name: name in total.match)
                    if (other := bad.left_out(name, total)) is not None
                )
                result = {self._series(bad): bad_values, self._series(bad, {name: other}): good_values}
            else:
                result = {self._series(bad): bad_values, self._series(total): both}
            for selection in (total,) if bad.metric == total.metric else (total, bad):
                for name in selection.match:
                    if (other := selection.left_out(name)) is not None:
                        result[self._series(selection, {name: other})] = _UNRELATED
            return result

        return Events(bad_rate, total_rate, self._by, simulate, self._common)

    def _selected(self, selection: Selection) -> Rate:
        metric = metric_named(selection.metric)
        matches = [Match(label_named(name, metric), tuple(values)) for name, values in selection.match.items()]
        return self._rate(metric, *matches, part="count" if metric.instrument == "histogram" else "")

    def _series(self, selection: Selection, other: Mapping[str, str] | None = None) -> str:
        """A series that a selection matches, or with `other`, one that differs from it in these labels."""
        metric = metric_named(selection.metric)
        labels = {label: value for label, value in self._common.items() if label in metric.labels}
        labels |= {label_named(name, metric): values[0] for name, values in selection.match.items()}
        labels |= {label_named(name, metric): value for name, value in (other or {}).items()}
        return self._selectors.series(metric, labels, "count" if metric.instrument == "histogram" else "")
