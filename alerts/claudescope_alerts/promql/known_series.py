"""Checks that a query names only series and labels that exist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Final

import promql_parser

from claudescope.schema.catalogue import METRICS
from claudescope.schema.recorded_series import SeriesPart
from claudescope_alerts.promql.selectors import SelectorBuilder

__all__ = ["KnownSeries"]

_OWN_LABELS: Final = {"instance", "job", "le", "service", "slo", "day", "__name__"}


def _emitted(selectors: SelectorBuilder) -> dict[str, dict[str, tuple[str, ...] | None]]:
    """Every series that claudescope emits, with its labels, and with their values where these are a closed set."""
    parts: dict[str, Sequence[SeriesPart]] = {"histogram": ("bucket", "count", "sum", "native")}
    return {
        selectors.metric(metric, part): {selectors.label(label): label.values for label in metric.labels}
        for metric in METRICS
        for part in parts.get(metric.instrument, ("",))
    }


class KnownSeries:
    """All series that a query may name: those of the catalogue, and those that rules record.

    Args:
        selectors: Names the series and the labels.
        recorded: Names of the series beyond the catalogue's, such as those that rules record.
        labels: Names of the labels beyond the catalogue's, such as `job`.
    """

    def __init__(self, selectors: SelectorBuilder, recorded: Set[str], labels: Set[str] = frozenset()) -> None:
        self._series = _emitted(selectors)
        self._recorded = recorded
        self._own = (
            _OWN_LABELS
            | set(selectors.service_labels)
            | set(selectors.own_labels)
            | set(selectors.deployment_labels)
            | labels
        )
        self._labels = {label for series in self._series.values() for label in series} | self._own

    def problems(self, expr: str) -> Iterator[str]:
        """Every mistake in a query, as the end of a sentence that starts with the name of the rule or panel."""
        try:
            tree = promql_parser.parse(expr)
        except ValueError as error:
            yield f"is not PromQL: {error}"
            return
        selectors: list[promql_parser.VectorSelector] = []
        groupings: list[str] = []
        made: set[str] = set()

        def visit(node: promql_parser.Expr) -> bool:
            if isinstance(node, promql_parser.VectorSelector):
                selectors.append(node)
            elif isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
                groupings.extend(node.modifier.labels)
            elif isinstance(node, promql_parser.Call) and node.func.name == "label_replace":
                made.add(getattr(node.args[1], "val", ""))
            return True

        promql_parser.walk(tree, visit)
        for label in groupings:
            if label not in self._labels | made:
                yield f"groups by {label!r}, a label that does not exist"
        for selector in selectors:
            yield from self._in_selector(selector)

    def _in_selector(self, selector: promql_parser.VectorSelector) -> Iterator[str]:
        matchers = [(matcher.name, matcher.value) for matcher in selector.matchers.matchers]
        name = selector.name or next((value for label, value in matchers if label == "__name__"), "")
        if name not in self._recorded and name not in self._series:
            yield f"queries {name!r}, a series that does not exist"
            return
        labels = self._series.get(name, dict.fromkeys(self._labels))
        for label, value in matchers:
            if label not in labels:
                if label not in self._own:
                    yield f"selects {name} by {label!r}, a label that it does not have"
                continue
            closed = labels[label]
            for word in value.replace("\\", "").split("|") if closed is not None else ():
                if closed is not None and word not in closed:
                    yield f"selects {name} by {label}={word!r}, a value that the label never has"
