"""Queries on the catalogue. Metrics and labels come in as objects, so that a rule can't name what nobody emits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from claudescope.schema.catalogue import Label, Metric
from claudescope_alerts.spec.model import Spec

__all__ = ["Match", "Part", "SelectorBuilder", "regex"]

Part = Literal["", "bucket", "count", "sum"]
_LEGACY: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


@dataclass(frozen=True, slots=True)
class Match:
    """A condition on a label.

    Attributes:
        label: The label.
        values: Values that it may have, or must not have.
        negated: Whether it must not have them. A label that is absent then matches.
        patterns: Whether the values are regular expressions (RE2), each of a whole value.

    Raises:
        ValueError: The label is a closed set and never has such a value.
    """

    label: Label
    values: tuple[str, ...]
    negated: bool = False
    patterns: bool = False

    def __post_init__(self) -> None:
        for value in self.values:
            if self.label.values is not None and value not in self.label.values:
                raise ValueError(f"{self.label.name} never is {value!r}")


def regex(values: Iterable[str]) -> str:
    """A regular expression (RE2) that matches exactly these values."""
    return "|".join(re.sub(r"([.+*?()|\[\]{}^$\\])", r"\\\1", value) for value in values)


class SelectorBuilder:
    """Writes selectors as a backend wants them.

    Args:
        spec: Says the naming and the labels of the service.
    """

    def __init__(self, spec: Spec) -> None:
        self._naming = spec.naming
        self._service = spec.service.labels
        self._service_name = spec.service.name

    def metric(self, metric: Metric, part: Part = "") -> str:
        """Name of a series: Prometheus', the same with dots kept (`utf8`), or OpenTelemetry's own.

        Raises:
            ValueError: The metric has no such part.
        """
        if (metric.instrument == "histogram") != bool(part):
            raise ValueError(f"{metric.name} is a {metric.instrument}: it has no series {part or 'of its own name'!r}")
        suffix = f"_{part}" if part else ""
        if self._naming == "prometheus":
            return metric.prometheus + suffix
        if self._naming == "victoriametrics":
            return metric.name + suffix
        underscored = re.sub(r"[^a-zA-Z0-9:]+", "_", metric.name)
        return metric.name + metric.prometheus.removeprefix(underscored) + suffix

    def label(self, label: Label) -> str:
        """Name of a label, as it stands in data."""
        return label.prometheus if self._naming == "prometheus" else label.name

    def by(self, *labels: Label | str) -> str:
        """The list in `by (...)`, quoted where a name has dots."""
        names = [label if isinstance(label, str) else self.label(label) for label in labels]
        return f"({', '.join(self._quoted(name) for name in names)})"

    def template(self, label: Label) -> str:
        """How an annotation shows the value of a label."""
        name = self.label(label)
        return f"{{{{ $labels.{name} }}}}" if _LEGACY.fullmatch(name) else f'{{{{ index $labels "{name}" }}}}'

    def select(self, metric: Metric, *matches: Match, part: Part = "", le: str = "", window: str = "") -> str:
        """A selector of a metric's series of the service.

        Args:
            metric: Which metric.
            matches: Conditions on its labels.
            part: Which series of a histogram.
            le: Upper bound of its bucket.
            window: Makes it a range, such as `"5m"`.

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

    def fleet(self, name: str, metric: Metric, *matches: Match, part: Part = "", le: str = "") -> str:
        """A selector of what rules record of a metric, with the metric's own conditions.

        Args:
            name: What is recorded.
            metric: What it is made of.
            matches: Conditions on its labels.
            part: Which series of a histogram.
            le: Upper bound of its bucket.
        """
        raw = self.metric(metric, part)
        inner = self.select(metric, *matches, part=part, le=le).removeprefix(raw).strip("{}")
        more = inner.removeprefix(json.dumps(raw)).removeprefix(", ")
        return f"{name}{{{', '.join([f'service={json.dumps(self._service_name)}', *([more] if more else [])])}}}"

    def conditions(self, metric: Metric) -> list[tuple[str, str, str]]:
        """What every selector of a metric asks for: label, operator and value."""
        del metric  # a board asks by what the metric has
        return [(name, "=", value) for name, value in self._service.items()]

    def series(self, metric: Metric, labels: dict[Label, str], part: Part = "", **more: str) -> str:
        """A full series for a test's input: the metric of the service with these labels."""
        pairs = [(name, "=", value) for name, value in self._service.items()]
        pairs += [(self.label(label), "=", value) for label, value in labels.items()]
        pairs += [(name, "=", value) for name, value in more.items()]
        return self._written(self.metric(metric, part), pairs)

    def _quoted(self, name: str) -> str:
        return name if _LEGACY.fullmatch(name) else json.dumps(name)

    def _written(self, name: str, pairs: list[tuple[str, str, str]]) -> str:
        inner = [f"{self._quoted(key)}{operator}{json.dumps(value)}" for key, operator, value in pairs]
        if _LEGACY.fullmatch(name):
            return f"{name}{{{', '.join(inner)}}}" if inner else name
        return f"{{{', '.join([json.dumps(name), *inner])}}}"
