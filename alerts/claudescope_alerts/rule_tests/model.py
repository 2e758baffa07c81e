"""What a rule test is. Times are minutes throughout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Expected", "Query", "RuleTest"]


@dataclass(frozen=True, slots=True)
class Expected:
    """A firing alert that is compared exactly, with all its labels and annotations.

    Attributes:
        minute: Minute of the comparison.
        value: The number in its annotations, as they show it.
        labels: Labels that it has from the data.
        placeholders: Texts that its annotations show, by placeholder.
    """

    minute: int
    value: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    placeholders: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Query:
    """A query that a rule test evaluates: `count(expr)` at a minute.

    Attributes:
        minute: Minute of the evaluation.
        expr: PromQL.
        value: The expected result; None where the query must return nothing.
    """

    minute: int
    expr: str
    value: float | None


@dataclass(frozen=True, slots=True)
class RuleTest:
    """A test of a rule: input series, and what the rule must do on them.

    Attributes:
        name: What the test holds, as a sentence without its subject: "fires after 5 minutes".
        series: Values by series, in promtool's notation.
        silent: Minutes at which the alert must not fire.
        firing: Minutes at which the alert must fire.
        expected: The firing alert, compared exactly at one minute.
        queries: Further queries.
        evaluation_interval: Minutes between evaluations of the rules.
        sample_interval: Minutes between samples of the series.
    """

    name: str
    series: Mapping[str, str]
    silent: tuple[int, ...] = ()
    firing: tuple[int, ...] = ()
    expected: Expected | None = None
    queries: tuple[Query, ...] = ()
    evaluation_interval: int = 1
    sample_interval: int = 1
