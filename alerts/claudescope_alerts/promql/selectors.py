"""Writes PromQL selectors. Metrics and labels are objects of the catalogue, so a query can name only what exists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from claudescope.schema.catalogue import Label, Metric
from claudescope.schema.recorded_series import SeriesPart
from claudescope_alerts.promql.naming import label_name, metric_name
from claudescope_alerts.spec.model import Histograms, Naming, Spec

__all__ = ["DISTRIBUTION", "Match", "SelectorBuilder", "label_selector", "quoted", "regex"]

DISTRIBUTION: Final[tuple[SeriesPart, SeriesPart]] = ("bucket", "native")
"""The series that have the distribution of a histogram: of a classic one, and of a native one."""

_LEGACY: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


@dataclass(frozen=True, slots=True)
class Match:
    """A condition on a label.

    Attributes:
        label: The label.
        values: Values that it may have, or must not have.
        negated: Whether it must not have them. A series without the label then matches.
        patterns: Whether the values are regular expressions (RE2), each of a whole value.

    Raises:
        ValueError: The label has a closed set of values, and one of `values` is not in it.
    """

    label: Label
    values: tuple[str, ...]
    negated: bool = False
    patterns: bool = False

    def __post_init__(self) -> None:
        for value in self.values:
            if self.label.values is not None and value not in self.label.values:
                raise ValueError(f"{self.label.name} never has the value {value!r}")


def regex(values: Iterable[str]) -> str:
    """A regular expression (RE2) that matches exactly these values."""
    return "|".join(re.sub(r"([.+*?()|\[\]{}^$\\])", r"\\\1", value) for value in values)


def quoted(value: str) -> str:
    """A text in PromQL. Unlike JSON, PromQL has no pairs of surrogates."""
    return json.dumps(value, ensure_ascii=False)


def label_selector(labels: Mapping[str, str]) -> str:
    """A selector of labels alone, which follows a name: `{service="claude", slo="availability"}`."""
    return "{" + ", ".join(f"{name}={quoted(value)}" for name, value in labels.items()) + "}"


class SelectorBuilder:
    """Writes selectors in the naming of the backend, narrowed to the service.

    Args:
        spec: Has the naming and the labels of the service.
    """

    def __init__(self, spec: Spec) -> None:
        self._naming: Naming = spec.naming
        self._namespace = spec.namespace
        self._histograms: Histograms = spec.histograms
        self._service = spec.service.labels
        self._own = spec.service.own_labels
        self._deployment = tuple(spec.service.deployment_labels)

    @property
    def histograms(self) -> Histograms:
        """The form of histograms that queries read."""
        return self._histograms

    @property
    def service_labels(self) -> Mapping[str, str]:
        """The labels that select the service's series, by name."""
        return self._service

    @property
    def own_labels(self) -> Mapping[str, str]:
        """The labels that every rule of the spec adds, by name."""
        return self._own

    @property
    def deployment_labels(self) -> tuple[str, ...]:
        """The labels that tell deployments of the service apart."""
        return self._deployment

    def metric(self, metric: Metric, part: SeriesPart = "") -> str:
        """Name of a metric's series in the naming of the spec.

        Raises:
            ValueError: A histogram needs a part, and no other metric takes one.
        """
        if (metric.instrument == "histogram") != bool(part):
            raise ValueError(f"{metric.name} is a {metric.instrument}: it has no series {part or 'of its own name'!r}")
        suffix = f"_{part}" if part and part != "native" else ""
        return metric_name(metric, self._naming, self._namespace) + suffix

    def label(self, label: Label) -> str:
        """Name of a label in the naming of the spec."""
        return label_name(label, self._naming)

    def by(self, *labels: Label | str) -> str:
        """The list of labels in `by (...)`; names with dots are quoted."""
        names = [label if isinstance(label, str) else self.label(label) for label in labels]
        return f"({', '.join(self._quoted(name) for name in names)})"

    def template(self, label: Label) -> str:
        """The Go template that shows a label's value in an annotation."""
        name = self.label(label)
        return f"{{{{ $labels.{name} }}}}" if _LEGACY.fullmatch(name) else f'{{{{ index $labels "{name}" }}}}'

    def select(self, metric: Metric, *matches: Match, part: SeriesPart = "", le: str = "", window: str = "") -> str:
        """A selector of a metric's series, narrowed to the service.

        Args:
            metric: The metric.
            matches: Conditions on its labels.
            part: Which series of a histogram.
            le: Upper bound of its bucket; empty for no bucket.
            window: Makes the selector a range, such as `"5m"`; empty for an instant.

        Raises:
            ValueError: The metric has no such label.
        """
        pairs = self.conditions(metric)
        for match in matches:
            if match.label not in metric.labels:
                raise ValueError(f"{metric.name} has no label {match.label.name!r}")
            single = len(match.values) == 1 and not match.patterns
            operator = ("!" if match.negated else "=") + ("=" if single and match.negated else "" if single else "~")
            several = "|".join(match.values) if match.patterns else regex(match.values)
            pairs.append((self.label(match.label), operator, match.values[0] if single else several))
        if le:
            pairs.append(("le", "=", le))
        return self._written(self.metric(metric, part), pairs) + (f"[{window}]" if window else "")

    def quantile(
        self, quantile: float, metric: Metric, *matches: Match, by: tuple[Label | str, ...] = (), window: str = "5m"
    ) -> str:
        """A quantile of a histogram, in each form that `histograms` of the spec allows.

        Args:
            quantile: The quantile, from 0 to 1.
            metric: The histogram.
            matches: Conditions on its labels.
            by: Labels to keep.
            window: Window of the rate.
        """
        classic, native = (f"rate({self.select(metric, *matches, part=part, window=window)})" for part in DISTRIBUTION)
        return self.forms(
            f"histogram_quantile({quantile:g}, sum by {self.by(*by, 'le')} ({classic}))",
            f"histogram_quantile({quantile:g}, sum{f' by {self.by(*by)}' if by else ''} ({native}))",
        )

    def by_bucket(self, metric: Metric, *matches: Match, by: tuple[Label | str, ...] = (), window: str = "5m") -> str:
        """The rate of a histogram: of each bucket of a classic one, which has the label `le`, or a native histogram.

        Args:
            metric: The histogram.
            matches: Conditions on its labels.
            by: Labels to keep.
            window: Window of the rate.
        """
        classic, native = (f"rate({self.select(metric, *matches, part=part, window=window)})" for part in DISTRIBUTION)
        return self.forms(
            f"sum by {self.by(*by, 'le')} ({classic})", f"sum{f' by {self.by(*by)}' if by else ''} ({native})"
        )

    def forms(self, classic: str, native: str) -> str:
        """An expression that answers for the forms of histograms that the spec allows."""
        if self._histograms == "auto":
            return f"{classic} or {native}"
        return classic if self._histograms == "classic" else native

    def within(
        self, metric: Metric, le: str, *matches: Match, by: tuple[Label | str, ...] = (), window: str = "5m"
    ) -> str:
        """The ratio of a histogram's records that are at most `le`; no value without records.

        Args:
            metric: The histogram.
            le: The bound, which ends a bucket.
            matches: Conditions on its labels.
            by: Labels to keep.
            window: Window of the rate.
        """

        def summed(part: SeriesPart, le: str = "") -> str:
            grouping = f" by {self.by(*by)}" if by else ""
            return f"sum{grouping} (rate({self.select(metric, *matches, part=part, le=le, window=window)}))"

        # The fraction of a native histogram without records is NaN, which `>= 0` drops.
        return self.forms(
            f"{summed('bucket', le)} / ({summed('bucket', '+Inf')} > 0)",
            f"histogram_fraction(0, {le}, {summed('native')}) >= 0",
        )

    def fleet(self, name: str, metric: Metric, *matches: Match, part: SeriesPart = "", le: str = "") -> str:
        """A selector of a series that the fleet rollup records, with the conditions of its metric.

        Args:
            name: Name of the recorded series.
            metric: The metric that it sums.
            matches: Conditions on its labels.
            part: Which series of a histogram.
            le: Upper bound of its bucket; empty for no bucket.
        """
        raw = self.metric(metric, part)
        inner = self.select(metric, *matches, part=part, le=le).removeprefix(raw).strip("{}")
        more = inner.removeprefix(json.dumps(raw)).removeprefix(", ")
        return f"{name}{label_selector(self._own)[:-1]}{f', {more}' if more else ''}}}"

    def conditions(self, metric: Metric) -> list[tuple[str, str, str]]:
        """The conditions that every selector of a metric has: label, operator and value."""
        del metric  # dashboards override this: their conditions depend on the metric's labels
        return [(name, "=", value) for name, value in self._service.items()]

    def series(self, metric: Metric, labels: dict[Label, str], part: SeriesPart = "", **more: str) -> str:
        """A series for the input of a test: the service's metric with exactly these labels."""
        values = {**self._service, **{self.label(label): value for label, value in labels.items()}, **more}
        pairs = [(name, "=", self._service.get(name, value)) for name, value in values.items()]
        return self._written(self.metric(metric, part), pairs)

    def _quoted(self, name: str) -> str:
        return name if _LEGACY.fullmatch(name) else json.dumps(name)

    def _written(self, name: str, pairs: list[tuple[str, str, str]]) -> str:
        inner = [f"{self._quoted(key)}{operator}{quoted(value)}" for key, operator, value in pairs]
        if _LEGACY.fullmatch(name):
            return f"{name}{{{', '.join(inner)}}}" if inner else name
        return f"{{{', '.join([json.dumps(name), *inner])}}}"
