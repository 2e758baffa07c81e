"""Queries of boards: the catalogue's metrics under the reader's variables.

A board asks by the same names as the alerts do (`claudescope_alerts.promql`), narrowed to the job, instance, model and
workflow that its reader chose. Ratios are 0 rather than missing while nothing went wrong, and missing rather than NaN
while nothing was called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from claudescope.schema.catalogue import DURATION, ERROR_TYPE, REQUEST_MODEL, RESPONSE_MODEL, WORKFLOW, Label, Metric
from claudescope.schema.error_types import ERROR_TYPES
from claudescope.schema.recorded_series import (
    INSTANCE_FAILED_RATIO,
    INSTANCE_LAST_SEEN,
    INSTANCE_P95,
    SeriesPart,
    fleet_name,
)
from claudescope_alerts.promql.selectors import Match, SelectorBuilder
from claudescope_alerts.rules.fleet_rollup import INSTANCE_INTERVAL, newest_sample
from claudescope_alerts.rules.sli import CHAT, ENDED, FAILED
from claudescope_alerts.spec.model import Spec

__all__ = ["CHAT", "ENDED", "INSTANCE", "IN_BUDGET", "NO_LABEL", "RANGE", "RATE", "Queries"]

RATE: Final = "$__rate_interval"
"""Grafana's window for `rate`: never shorter than four scrapes."""

RANGE: Final = "$__range"
"""Grafana's window for the whole time that the reader looks at."""

NO_LABEL: Final = "all_of"
"""A label that no series has."""

IN_BUDGET: Final = Match(ERROR_TYPE, tuple(row.name for row in ERROR_TYPES.values() if row.in_budget))
"""Failures for a reason that is not in the request itself."""

_MAY_BE_ABSENT: Final = (WORKFLOW, REQUEST_MODEL, RESPONSE_MODEL)
_BY_VARIABLE: Final = ((REQUEST_MODEL, "model"), (WORKFLOW, "workflow"))
INSTANCE: Final = ("job", "instance")
"""Labels of an instance."""

_NOT_BY_INSTANCE: Final = ("model", "workflow")
"""Variables for which what is recorded of each instance has no label."""


def _seconds(window: str) -> int:
    return int(window[:-1]) * {"m": 60, "h": 3600, "d": 86400}[window[-1]]


class Queries(SelectorBuilder):
    """Writes the expressions of panels.

    Args:
        spec: Says the naming, the labels of the service and the thresholds.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        self.spec = spec

    def conditions(self, metric: Metric) -> list[tuple[str, str, str]]:
        """The service's labels, and the variables of the board that the metric has a label for."""
        chosen = [("job", "=~", "$job"), ("instance", "=~", "$instance")]
        chosen += [(self.label(label), "=~", f"${name}") for label, name in _BY_VARIABLE if label in metric.labels]
        return [*super().conditions(metric), *chosen]

    def legend(self, *labels: Label | str) -> str:
        """How a legend shows the values of labels."""
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
        """The sum of `rate` or `increase` over the series of a metric.

        Args:
            metric: A counter, or a histogram with its `part`.
            matches: Conditions on its labels.
            by: Labels to keep.
            part: Which series of a histogram.
            le: Upper bound of its bucket.
            window: Range that is looked at.
            function: `"rate"` or `"increase"`.
        """
        grouping = f" by {self.by(*by)}" if by else ""
        grown = self._grown(metric, *matches, by=by, part=part, le=le, window=window, function=function)
        return self._named(f"sum{grouping} ({grown})", by)

    def calls(
        self, *matches: Match, by: tuple[Label | str, ...] = (), window: str = RATE, function: str = "rate"
    ) -> str:
        """How many calls ended: per second, or within the window."""
        return self.total(DURATION, *matches, by=by, part="count", window=window, function=function)

    def failed(
        self, *matches: Match, by: tuple[Label | str, ...] = (), window: str = RATE, function: str = "rate"
    ) -> str:
        """How many calls failed."""
        return self.calls(FAILED, *matches, by=by, window=window, function=function)

    def ratio(self, part: str, whole: str) -> str:
        """A share of a whole: 0 where there is no part, and nothing where there is no whole."""
        return f"({part} or 0 * {whole}) / ({whole} > 0)"

    def quantile(
        self, quantile: float, metric: Metric, *matches: Match, by: tuple[Label | str, ...] = (), window: str = RATE
    ) -> str:
        """A quantile of a histogram."""
        grown = self._grown(metric, *matches, by=by, part="bucket", window=window)
        estimated = f"histogram_quantile({quantile:g}, sum by {self.by('le', *by)} ({grown}))"
        return self._named(estimated, by)

    def gauge(self, metric: Metric, function: str = "", window: str = "") -> str:
        """The last-seen values of a gauge, of each instance or across them.

        Args:
            metric: The gauge.
            function: Of its values over the window, such as `"deriv"`; none for the values themselves.
            window: Range that is looked at.
        """
        selector = self.select(metric, window=window)
        if not self.spec.fleet_rollup:
            return f"{function}({selector})" if function else selector
        fleet = self.recorded_fleet(metric) + (f"[{window}]" if window else "")
        chosen = self._of_chosen(selector)
        return f"({function}({chosen}) or {function}({fleet}))" if function else f"({chosen} or {fleet})"

    def last_seen(self, window: str = "") -> str:
        """When each instance's newest sample of calls was taken, in Unix seconds.

        Args:
            window: Of those, too, that have gone within it; else of those that are there.
        """

        def newest(queries: Queries) -> str:
            now = newest_sample(queries, INSTANCE, queries.select(DURATION, part="count"))
            # Of those that have gone, each fifth minute is enough, as a sample is seen for five.
            return f"{now} or max_over_time(({now})[{window}:5m])" if window else now

        return self._of_each(INSTANCE_LAST_SEEN.name, newest, "max_over_time" if window else "", window)

    def failed_ratio(self) -> str:
        """The share of each instance's calls that fails, of those that end."""

        def ratio(queries: Queries) -> str:
            return queries.ratio(queries.failed(by=INSTANCE), queries.calls(ENDED, by=INSTANCE))

        return self._of_each(INSTANCE_FAILED_RATIO.name, ratio)

    def p95(self) -> str:
        """The 95th percentile of how long each instance's calls take that users wait for."""
        return self._of_each(INSTANCE_P95.name, lambda queries: queries.quantile(0.95, DURATION, CHAT, by=INSTANCE))

    def _of_each(self, name: str, raw: Callable[[Queries], str], function: str = "", window: str = "") -> str:
        """What rules record ready-made of each instance, and what it is made of where a model or a workflow is chosen.

        Args:
            name: What is recorded.
            raw: Asks the same of instances' own series.
            function: Of what is recorded over the window; none for its values themselves.
            window: Range that is looked at.
        """
        if not self.spec.fleet_rollup:
            return raw(self)
        recorded = self.fleet(name, DURATION, part="count")
        recorded = f"{function}({recorded}[{window}])" if function else recorded
        return " or ".join([*(raw(_Chosen(self.spec, variable)) for variable in _NOT_BY_INSTANCE), recorded])

    def recorded_fleet(
        self, metric: Metric, *matches: Match, part: SeriesPart = "", le: str = "", by_instance: bool = False
    ) -> str:
        """What rules record of a metric across instances, or of each: only All finds it, as it lacks the label."""
        return self.fleet(fleet_name(metric, part, by_instance=by_instance), metric, *matches, part=part, le=le)

    @staticmethod
    def _of_chosen(selector: str, variable: str = "instance") -> str:
        """A selector that finds nothing where the reader chose All of a variable.

        All is `.*`, which every series' missing label matches, and so none passes; a name matches none, and all pass.
        """
        head, brace, tail = selector.rpartition("}")
        return f'{head}, {NO_LABEL}!~"${variable}"{brace}{tail}'

    def _grown(
        self,
        metric: Metric,
        *matches: Match,
        by: tuple[Label | str, ...],
        part: SeriesPart = "",
        le: str = "",
        window: str = RATE,
        function: str = "rate",
    ) -> str:
        """`rate` or `increase` of each series, of instances or across them."""
        selector = self.select(metric, *matches, part=part, le=le, window=window)
        if not self.spec.fleet_rollup:
            return f"{function}({selector})"
        each = "instance" in by
        fleet = self.recorded_fleet(metric, *matches, part=part, le=le, by_instance=each)
        if window != RATE:
            # Tiles for which nothing was recorded count as without events, as in a rate.
            # What is recorded of each instance has an interval of its own, and each sample is one tile.
            fleet = (
                f"{60 * INSTANCE_INTERVAL} * sum_over_time({fleet}[{window}])"
                if each
                else f"60 * sum_over_time({fleet}[{window}:1m])"
            )
            if function == "rate":
                fleet += " / " + ("$__range_s" if window == RANGE else str(_seconds(window)))
        # What is recorded of each instance has no model and no workflow: if one is chosen, raw series answer.
        chosen = [self._of_chosen(selector, name) for name in (_NOT_BY_INSTANCE if each else ("instance",))]
        return " or ".join([*(f"{function}({one})" for one in chosen), fleet])

    def recorded(self, name: str, **labels: str) -> str:
        """A series that the spec's rules record."""
        pairs = {"service": self.spec.service.name, **labels}
        return name + "{" + ", ".join(f'{key}="{value}"' for key, value in pairs.items()) + "}"

    def alerts(self, state: str = "firing", **labels: str) -> str:
        """The state of the spec's alerts, as Prometheus and vmalert keep it."""
        pairs = "".join(f', {key}="{value}"' for key, value in labels.items())
        return f'ALERTS{{service="{self.spec.service.name}", alertstate="{state}", severity!="none"{pairs}}}'

    def narrowed(self, name: str, conditions: str) -> str:
        """A series by its name and its conditions as text, quoted where the naming keeps dots."""
        if self.spec.naming == "prometheus":
            return f"{name}{{{conditions}}}" if conditions else name
        return f'{{"{name}"{", " if conditions else ""}{conditions}}}'

    def _named(self, expr: str, by: tuple[Label | str, ...]) -> str:
        """With a name for what has none: calls outside of any workflow, calls that no model answered."""
        for label in (self.label(label) for label in _MAY_BE_ABSENT if label in by):
            expr = f'label_replace({expr}, "{label}", "(none)", "{label}", "")'
        return expr


class _Chosen(Queries):
    """Asks instances' own series, which it finds only where the reader chose some of a variable.

    Args:
        spec: As for `Queries`.
        variable: The variable's name.
    """

    def __init__(self, spec: Spec, variable: str) -> None:
        super().__init__(spec.model_copy(update={"fleet_rollup": False}))
        self._variable = variable

    def conditions(self, metric: Metric) -> list[tuple[str, str, str]]:
        """As any board's, and none at All: see `_of_chosen`."""
        return [*super().conditions(metric), (NO_LABEL, "!~", f"${self._variable}")]
