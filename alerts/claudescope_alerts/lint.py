"""The judge that knows the catalogue: no rule asks for what nobody emits, and none is without what it needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Final

import promql_parser

from claudescope.schema.catalogue import METRICS
from claudescope_alerts.promql.selectors import Part, SelectorBuilder
from claudescope_alerts.rules.model import Alert, Group
from claudescope_alerts.spec.model import Spec

__all__ = ["KnownSeries", "lint"]

_OWN_LABELS: Final = {"instance", "job", "le", "service", "slo", "day", "__name__"}


def lint(groups: Iterable[Group], spec: Spec) -> list[str]:
    """Every mistake in the rules, as a sentence that names the rule."""
    groups = list(groups)
    known_series = KnownSeries(spec, {rule.name for group in groups for rule in group.recordings})
    mistakes: list[str] = []
    for group in groups:
        for rule in group.rules:
            problems = known_series.problems(rule.expr)
            mistakes += [f"{group.name}: {rule.name}: {problem}" for problem in problems]
        for alert in group.alerts:
            mistakes += [f"{group.name}: {alert.name}: {problem}" for problem in _incomplete(alert, spec)]
    return mistakes


def _emitted(spec: Spec) -> dict[str, dict[str, tuple[str, ...] | None]]:
    """Every series that claudescope emits, with its labels and their values where these are a closed set."""
    names = SelectorBuilder(spec)
    parts: dict[str, Sequence[Part]] = {"histogram": ("bucket", "count", "sum")}
    return {
        names.metric(metric, part): {names.label(label): label.values for label in metric.labels}
        for metric in METRICS
        for part in parts.get(metric.instrument, ("",))
    }


class KnownSeries:
    """All that a query may name: what the catalogue emits, and what rules record.

    Args:
        spec: Says the naming and the labels of the service.
        recorded: Series beyond the catalogue's, such as those that rules record.
        labels: Labels beyond the catalogue's, such as `job`.
    """

    def __init__(self, spec: Spec, recorded: Set[str], labels: Set[str] = frozenset()) -> None:
        self._series = _emitted(spec)
        self._recorded = recorded
        self._own = _OWN_LABELS | set(spec.service.labels) | labels
        self._labels = {label for series in self._series.values() for label in series} | self._own

    def problems(self, expr: str) -> Iterator[str]:
        """Every mistake in a query, as half a sentence."""
        try:
            tree = promql_parser.parse(expr)
        except ValueError as error:
            yield f"not PromQL: {error}"
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
                yield f"groups by {label!r}, a label that nobody emits"
        for selector in selectors:
            yield from self._in_selector(selector)

    def _in_selector(self, selector: promql_parser.VectorSelector) -> Iterator[str]:
        matchers = [(matcher.name, matcher.value) for matcher in selector.matchers.matchers]
        name = selector.name or next((value for label, value in matchers if label == "__name__"), "")
        if name not in self._recorded and name not in self._series:
            yield f"asks for {name!r}, a series that nobody emits"
            return
        labels = self._series.get(name, dict.fromkeys(self._labels))
        for label, value in matchers:
            if label not in labels:
                if label not in self._own:
                    yield f"asks {name} for {label!r}, a label that it does not have"
                continue
            closed = labels[label]
            for word in value.replace("\\", "").split("|") if closed is not None else ():
                if closed is not None and word not in closed:
                    yield f"asks {name} for {label}={word!r}, a value that it never has"


def _incomplete(alert: Alert, spec: Spec) -> Iterator[str]:
    if not alert.rule_tests:
        yield "nothing proves it"
    annotations = alert.annotations(spec)
    for name, text in annotations.items():
        if not text:
            yield f"its {name} is empty"
    texts = annotations["summary"] + annotations["description"]
    has_number = not alert.expr.startswith(("vector(1)", "absent("))
    if has_number and "$value" not in texts:
        yield "neither its summary nor its description has the number"
