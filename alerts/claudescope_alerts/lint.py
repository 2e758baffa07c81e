"""Checks the rules before anything is written: they query only series that exist, and every alert is complete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from claudescope_alerts.promql.known_series import KnownSeries
from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.rules.model import Alert, Group
from claudescope_alerts.spec.model import Spec

__all__ = ["lint"]


def lint(groups: Iterable[Group], spec: Spec, selectors: SelectorBuilder) -> list[str]:
    """Every mistake in the rules, as a sentence that names the rule.

    Args:
        groups: The rules.
        spec: The spec that they were made from.
        selectors: Names the series and the labels.
    """
    groups = list(groups)
    known_series = KnownSeries(selectors, {rule.name for group in groups for rule in group.recordings})
    mistakes: list[str] = []
    for group in groups:
        for rule in group.rules:
            problems = known_series.problems(rule.expr)
            mistakes += [f"{group.name}: {rule.name}: {problem}" for problem in problems]
        for alert in group.alerts:
            mistakes += [f"{group.name}: {alert.name}: {problem}" for problem in _incomplete(alert, spec)]
    return mistakes


def _incomplete(alert: Alert, spec: Spec) -> Iterator[str]:
    if not alert.rule_tests:
        yield "has no rule test"
    annotations = alert.annotations(spec)
    for name, text in annotations.items():
        if not text:
            yield f"has an empty {name}"
        if name.endswith("_url") and not text.startswith(("http://", "https://")):
            yield f"has the relative {name} {text!r}, which no pager can open. Expected a URL"
    texts = annotations["summary"] + annotations["description"]
    has_number = not alert.expr.startswith(("vector(1)", "absent("))
    if has_number and "$value" not in texts:
        yield "shows its number neither in the summary nor in the description"
