"""Builds the PromQL of panels: metrics of the catalogue, filtered by the variables of the dashboard.

The names are those of the alerts (`claudescope_alerts.promql`). Every query is filtered by the selected job, instance,
model and workflow. Ratios are 0 while no event of the part happened, and have no value while there are no calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from claudescope.schema.catalogue import (
    CALLS,
    DURATION,
    ERROR_TYPE,
    REQUEST_MODEL,
    RESPONSE_MODEL,
    WORKFLOW,
    Label,
    Metric,
)
from claudescope.schema.error_types import ERROR_TYPES
from claudescope.schema.recorded_series import (
    INSTANCE_FAILED_RATIO,
    INSTANCE_LAST_SEEN,
    INSTANCE_P95,
    SeriesPart,
    fleet_name,
)
from claudescope_alerts.promql.selectors import DISTRIBUTION, Match, SelectorBuilder, label_selector
from claudescope_alerts.rules.fleet_rollup import INSTANCE_INTERVAL, newest_sample
from claudescope_alerts.rules.sli import CHAT, ENDED, FAILED
from claudescope_alerts.spec.model import Spec

__all__ = [
    "CHAT",
    "ENDED",
    "INSTANCE",
    "IN_BUDGET",
    "NO_LABEL",
    "RANGE",
    "RATE",
    "Queries",
    "escaped",
    "literal",
]

RATE: Final = "$__rate_interval"
"""Grafana's window for `rate`: at least four scrape intervals."""

RANGE: Final = "$__range"
"""Grafana's window for the whole time range of the dashboard."""

NO_LABEL: Final = "all_of"
"""Name of a label that no series has. See `Queries._only_if_selected`."""

IN_BUDGET: Final = Match(ERROR_TYPE, tuple(row.name for row in ERROR_TYPES.values() if row.in_budget))
"""Errors that count against the error budget: all except those caused by the request itself."""

_MAY_BE_ABSENT: Final = (WORKFLOW, REQUEST_MODEL, RESPONSE_MODEL)
_BY_VARIABLE: Final = ((REQUEST_MODEL, "model"), (WORKFLOW, "workflow"))
INSTANCE: Final = ("job", "instance")
"""Labels that identify an instance."""

_NOT_RECORDED_PER_INSTANCE: Final = ("model", "workflow")
"""Variables whose labels are missing from the series that are recorded per instance."""


_ESCAPES: Final = {"$": ("\ue000", r"\u0024"), "[": ("\ue001", r"\u005b")}
"""Characters with which Grafana's variables start: a stand-in for each, and how PromQL writes it without it."""


def literal(value: str) -> str:
    """A label's value in which Grafana finds no variable, once `escaped` has written it."""
    for character, (stand_in, _) in _ESCAPES.items():
        value = value.replace(character, stand_in)
    return value


def escaped(expr: str) -> str:
    """A query with the values of `literal` as PromQL writes them."""
    for stand_in, written in _ESCAPES.values():
        expr = expr.replace(stand_in, written)
    return expr


def _seconds(window: str) -> int:
    return int(window[:-1]) * {"m": 60, "h": 3600, "d": 86400}[window[-1]]


def _rollup_growth(rollup: str, per_instance: bool, window: str, function: str) -> str:
    """Return `rate` or `increase` of a fleet rollup, which records a rate per second.

    Args:
        rollup: Selector of the rollup.
        per_instance: Whether it is recorded per instance, every `INSTANCE_INTERVAL` minutes, rather than every minute.
        window: Window of the function; the rollup itself is the rate over `RATE`.
        function: `"rate"` or `"increase"`.
    """
    if window == RATE:
        return rollup
    # Minutes without a sample count as minutes without events, as they do for `increase`.
    if per_instance:
        increase = f"{60 * INSTANCE_INTERVAL} * sum_over_time({rollup}[{window}])"
    else:
        increase = f"60 * sum_over_time({rollup}[{window}:1m])"
    if function == "increase":
        return increase
    return f"{increase} / {'$__range_s' if window == RANGE else _seconds(window)}"


class Queries(SelectorBuilder):
    """Builds the expressions of panels.

    Args:
        spec: The spec, for its naming, the labels of its service and its thresholds.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.spec = spec

    def conditions(self, metric: Metric) -> list[tuple[str, str, str]]:
        """Return the service's labels, and the variables for which the metric has a label."""
        chosen = [(name, "=~", f"${name}") for name in (*self.spec.service.deployment_labels, *INSTANCE)]
        chosen += [(self.label(label), "=~", f"${name}") for label, name in _BY_VARIABLE if label in metric.labels]
        own = ((name, operator, literal(value)) for name, operator, value in super().conditions(metric))
        return [*own, *chosen]

    def _written(self, name: str, pairs: list[tuple[str, str, str]]) -> str:
        return escaped(super()._written(name, pairs))

    def _selector(self, labels: Mapping[str, str]) -> str:
        """A selector of labels alone, without a variable of Grafana's in it."""
        return escaped(label_selector({name: literal(value) for name, value in labels.items()}))

    def legend(self, *labels: Label | str) -> str:
        """Return a legend that shows the values of labels."""
        names = [label if isinstance(label, str) else self.label(label) for label in labels]
        return " ".join(f"{{{{{name}}}}}" for name in names)

    def total(
        self,
        metric: Metric,
        *matches: Match,
        by: tuple[Label | str, ...] = (),
        part: SeriesPart = "",
        le: str = "",
        window: str = RATE,
        function: str = "rate",
    ) -> str:
        """Sum `rate` or `increase` over the series of a metric.

        Args:
            metric: A counter, or a histogram with its `part`.
            matches: Conditions on its labels.
            by: Labels to keep.
            part: SeriesPart of a histogram: `"count"`, `"sum"` or `"bucket"`.
            le: Upper bound of the bucket.
            window: Window of the function.
            function: `"rate"` or `"increase"`.
        """
        grouping = f" by {self.by(*by)}" if by else ""
        grown = self._growth(metric, *matches, by=by, part=part, le=le, window=window, function=function)
        return self._with_none(f"sum{grouping} ({grown})", by)

    def calls(
        self, *matches: Match, by: tuple[Label | str, ...] = (), window: str = RATE, function: str = "rate"
    ) -> str:
        """Count the calls that ended: per second, or within the window."""
        return self.total(CALLS, *matches, by=by, window=window, function=function)

    def failed(
        self, *matches: Match, by: tuple[Label | str, ...] = (), window: str = RATE, function: str = "rate"
    ) -> str:
        """Count the calls that failed: per second, or within the window."""
        return self.calls(FAILED, *matches, by=by, window=window, function=function)

    def ratio(self, part: str, whole: str) -> str:
        """Divide a part by a whole: 0 without a part, and no value without a whole."""
        return f"({part} or 0 * {whole}) / ({whole} > 0)"

    def quantile(
        self, quantile: float, metric: Metric, *matches: Match, by: tuple[Label | str, ...] = (), window: str = RATE
    ) -> str:
        """Estimate a quantile of a histogram."""
        if self.spec.fleet_rollup:
            estimated = f"histogram_quantile({quantile:g}, {self.by_bucket(metric, *matches, by=by, window=window)})"
        else:
            estimated = super().quantile(quantile, metric, *matches, by=by, window=window)
        return self._with_none(estimated, by)

    def by_bucket(self, metric: Metric, *matches: Match, by: tuple[Label | str, ...] = (), window: str = RATE) -> str:
        """Return the rate of each bucket of a histogram, or a native histogram, which has all of them in one value."""
        if not self.spec.fleet_rollup:
            return super().by_bucket(metric, *matches, by=by, window=window)
        # Native histograms are recorded under the same name, without the label `le`.
        variables, rollup = self._rollup(metric, *matches, by=by, part="bucket", window=window)
        raw = [
            self.forms(
                *(f"rate({queries.select(metric, *matches, part=part, window=window)})" for part in DISTRIBUTION)
            )
            for queries in variables
        ]
        return f"sum by {self.by('le', *by)} ({' or '.join([*raw, rollup])})"

    def gauge(self, metric: Metric, function: str = "", window: str = "", matches: tuple[Match, ...] = ()) -> str:
        """Return the current values of a gauge, or a function of them.

        Args:
            metric: The gauge.
            function: Function over the window, such as `"deriv"`. By default the values themselves.
            window: Window of the function.
            matches: Conditions on its labels.
        """
        selector = self.select(metric, *matches, window=window)
        if not self.spec.fleet_rollup:
            return f"{function}({selector})" if function else selector
        fleet = self.recorded_fleet(metric, *matches) + (f"[{window}]" if window else "")
        chosen = self._only_if_selected(selector)
        return f"({function}({chosen}) or {function}({fleet}))" if function else f"({chosen} or {fleet})"

    def last_seen(self, window: str = "") -> str:
        """Return the time of each instance's newest sample of calls, in Unix seconds.

        Args:
            window: Also include instances that disappeared within this window. By default only current ones.
        """

        def newest(queries: Queries) -> str:
            now = newest_sample(queries, INSTANCE, queries.select(CALLS))
            # Prometheus sees a sample for five minutes, so a resolution of five minutes misses no instance.
            return f"{now} or max_over_time(({now})[{window}:5m])" if window else now

        return self._per_instance(INSTANCE_LAST_SEEN.name, newest, "max_over_time" if window else "", window)

    def failed_ratio(self) -> str:
        """Return the error rate of each instance: failed calls over ended calls."""

        def ratio(queries: Queries) -> str:
            return queries.ratio(queries.failed(by=INSTANCE), queries.calls(ENDED, by=INSTANCE))

        return self._per_instance(INSTANCE_FAILED_RATIO.name, ratio)

    def p95(self) -> str:
        """Return the 95th percentile of the duration of each instance's model calls, in seconds."""
        return self._per_instance(
            INSTANCE_P95.name, lambda queries: queries.quantile(0.95, DURATION, CHAT, by=INSTANCE)
        )

    def _per_instance(self, name: str, raw: Callable[[Queries], str], function: str = "", window: str = "") -> str:
        """Read a series that is recorded per instance, or compute it while a model or a workflow is selected.

        Args:
            name: Name of the recorded series.
            raw: Computes the same from raw series.
            function: Function over the window of the recorded series. By default its values themselves.
            window: Window of the function.
        """
        if not self.spec.fleet_rollup:
            return raw(self)
        recorded = self.fleet(name, CALLS)
        recorded = f"{function}({recorded}[{window}])" if function else recorded
        return " or ".join(
            [*(raw(_RawIfSelected(self.spec, variable)) for variable in _NOT_RECORDED_PER_INSTANCE), recorded]
        )

    def recorded_fleet(
        self, metric: Metric, *matches: Match, part: SeriesPart = "", le: str = "", by_instance: bool = False
    ) -> str:
        """Select the fleet rollup of a metric, summed over instances or per instance.

        It has no value while an instance is selected, as it lacks the label.
        """
        return self.fleet(fleet_name(metric, part, by_instance=by_instance), metric, *matches, part=part, le=le)

    @staticmethod
    def _only_if_selected(selector: str, variable: str = "instance") -> str:
        """Change a selector so that it finds series only while the variable is not All.

        No series has the label `NO_LABEL`, so its value is empty. All is `.*`, which matches the empty value, and `!~`
        then excludes every series. A selected name does not match it, and every series passes.
        """
        head, brace, tail = selector.rpartition("}")
        return f'{head}, {NO_LABEL}!~"${variable}"{brace}{tail}'

    def _growth(
        self,
        metric: Metric,
        *matches: Match,
        by: tuple[Label | str, ...],
        part: SeriesPart = "",
        le: str = "",
        window: str = RATE,
        function: str = "rate",
    ) -> str:
        """Return `rate` or `increase` of the raw series, or of the fleet rollup while All is selected."""
        if not self.spec.fleet_rollup:
            return f"{function}({self.select(metric, *matches, part=part, le=le, window=window)})"
        variables, rollup = self._rollup(metric, *matches, by=by, part=part, le=le, window=window, function=function)
        raw = [
            f"{function}({queries.select(metric, *matches, part=part, le=le, window=window)})" for queries in variables
        ]
        return " or ".join([*raw, rollup])

    def within(
        self, metric: Metric, le: str, *matches: Match, by: tuple[Label | str, ...] = (), window: str = RATE
    ) -> str:
        """Return the ratio of a histogram's records that are at most `le`."""
        if not self.spec.fleet_rollup:
            return super().within(metric, le, *matches, by=by, window=window)
        quick, every = (
            self.total(metric, *matches, by=by, part="bucket", le=bound, window=window) for bound in (le, "+Inf")
        )
        native = self.by_bucket(metric, *matches, by=by, window=window)
        return self.forms(f"{quick} / ({every} > 0)", f"histogram_fraction(0, {le}, {native}) >= 0")

    def _rollup(
        self,
        metric: Metric,
        *matches: Match,
        by: tuple[Label | str, ...],
        part: SeriesPart,
        le: str = "",
        window: str,
        function: str = "rate",
    ) -> tuple[list[_RawIfSelected], str]:
        """Return what builds queries of raw series for viewers who select a part, and the growth of the rollup."""
        per_instance = "instance" in by
        rollup = self.recorded_fleet(metric, *matches, part=part, le=le, by_instance=per_instance)
        # A rollup per instance has no label for the model and the workflow: raw series answer while one is selected.
        variables = _NOT_RECORDED_PER_INSTANCE if per_instance else ("instance",)
        raw = [_RawIfSelected(self.spec, variable) for variable in variables]
        return raw, _rollup_growth(rollup, per_instance, window, function)

    def recorded(self, name: str, **labels: str) -> str:
        """Select a series that the spec's rules record."""
        return name + self._selector({**self.spec.service.own_labels, **labels})

    def alerts(self, state: str = "firing", **labels: str) -> str:
        """Select the series in which Prometheus and vmalert keep the state of the spec's alerts."""
        own = self._selector({**self.spec.service.own_labels, "alertstate": state})
        pairs = "".join(f', {key}="{value}"' for key, value in labels.items())
        return f'ALERTS{own[:-1]}, severity!="none"{pairs}}}'

    def alerts_since(self, *labels: str) -> str:
        """When the firing alerts began to hold, in Unix milliseconds: Prometheus and vmalert keep it beside them."""
        own = self._selector({**self.spec.service.own_labels})
        since = (
            f'ALERTS_FOR_STATE{own[:-1]}, severity!="none"}}' if own != "{}" else 'ALERTS_FOR_STATE{severity!="none"}'
        )
        return f"1000 * min by ({', '.join(labels)}) ({since} and ignoring (alertstate) {self.alerts()})"

    def narrowed(self, name: str, conditions: str) -> str:
        """Select a series by its name and its conditions as text. A name with dots is quoted."""
        if "." not in name:
            return f"{name}{{{conditions}}}" if conditions else name
        return f'{{"{name}"{", " if conditions else ""}{conditions}}}'

    def _with_none(self, expr: str, by: tuple[Label | str, ...]) -> str:
        """Show "(none)" for a missing label: calls outside of a workflow, or without an answer of a model."""
        for label in (self.label(label) for label in _MAY_BE_ABSENT if label in by):
            expr = f'label_replace({expr}, "{label}", "(none)", "{label}", "")'
        return expr


class _RawIfSelected(Queries):
    """Builds queries of raw series that have no value while a variable is All.

    Args:
        spec: As for `Queries`.
        variable: Name of the variable.
    """

    def __init__(self, spec: Spec, variable: str) -> None:
        super().__init__(spec.model_copy(update={"fleet_rollup": False}))
        self._variable = variable

    def conditions(self, metric: Metric) -> list[tuple[str, str, str]]:
        """Add the condition that `Queries._only_if_selected` explains."""
        return [*super().conditions(metric), (NO_LABEL, "!~", f"${self._variable}")]
