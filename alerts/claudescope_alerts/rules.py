"""What is generated, before it takes the form of any system: rules, and the trials that prove them.

A *rule* records a series or alerts. A *trial* is a story in minutes (what calls happen, when the alert must be silent
and when it must fire) that becomes a promtool unit test. Times are minutes throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from string import Template

from claudescope.errors import Fault
from claudescope_alerts.windows import Severity

__all__ = ["Alert", "Expected", "Group", "Query", "Recording", "Trial", "counter", "percentage", "write"]


def write(number: Decimal | float) -> str:
    """Write a number as it was meant: no exponent, no `0.9990000000000001`."""
    text = f"{Decimal(str(number)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percentage(share: Decimal) -> str:
    """Write a share as Prometheus' `humanizePercentage` does."""
    return f"{float(share * 100):.4g}%"


def counter(*segments: tuple[int, Decimal | float], start: Decimal | float = 1_000_000, every: int = 1) -> str:
    """A counter in promtool's notation.

    Args:
        segments: How many minutes, and the increase from sample to sample.
        start: Its first value; far from zero by default, as Prometheus extrapolates counters near zero less.
        every: Minutes between samples: a divisor of all minutes.
    """
    value = Decimal(str(start))
    parts = [write(value)]
    for minutes, rate in segments:
        step, samples = Decimal(str(rate)), minutes // every
        if samples > 0:
            first = value + step
            parts.append(f"{write(first)}+{write(step)}x{samples - 1}")
            value += step * samples
    return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Expected:
    """One alert that fires, to the letter.

    Attributes:
        minute: When.
        value: The number in its annotations, as they show it.
        labels: Labels that it has from the data.
        shown: What the annotations show of those, by placeholder.
    """

    minute: int
    value: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    shown: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Query:
    """A query that a trial asks: `count(expr)` at a minute.

    Attributes:
        minute: When.
        expr: PromQL.
        value: What it answers; None for nothing.
    """

    minute: int
    expr: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Trial:
    """A story that an alert is tried on.

    Attributes:
        name: What it holds, as a sentence.
        series: Values by series, in promtool's notation.
        silent: Minutes at which the alert must not fire.
        firing: Minutes at which it must.
        expected: The alert to the letter, at some minute.
        queries: Further queries.
        step: Minutes between evaluations of the rules.
        every: Minutes between samples of the series.
    """

    name: str
    series: Mapping[str, str]
    silent: tuple[int, ...] = ()
    firing: tuple[int, ...] = ()
    expected: Expected | None = None
    queries: tuple[Query, ...] = ()
    step: int = 1
    every: int = 1


@dataclass(frozen=True, slots=True)
class Recording:
    """A rule that records a series.

    Attributes:
        name: Name of the series.
        expr: PromQL.
        labels: Labels that are added.
    """

    name: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule that alerts. `summary` and `description` are `string.Template`s: `$value`, and those of `shown`.

    Attributes:
        name: Its name, and the heading of its runbook.
        expr: PromQL; its value is the number that the annotations show.
        severity: `page`, `ticket`, or `none` for the dead man's switch.
        fault: Whose fault it is.
        summary: One sentence with the number.
        description: What it means, with the threshold.
        wait: Minutes that the condition must last (`for`).
        keep: Minutes for which it goes on after it ended (`keep_firing_for`).
        labels: Further labels.
        shown: Go template by placeholder of the texts.
        value: Prometheus' function that formats the number.
        trials: What proves it.
    """

    name: str
    expr: str
    severity: Severity | None
    fault: Fault
    summary: str
    description: str
    wait: int = 0
    keep: int = 0
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    shown: Mapping[str, str] = field(default_factory=dict[str, str])
    value: str = "humanizePercentage"
    trials: tuple[Trial, ...] = ()

    def static_labels(self, service: str) -> dict[str, str]:
        """The labels that the rule adds."""
        return {"service": service, "severity": self.severity or "none", "fault": self.fault, **self.labels}

    def annotations(self, runbooks: str, dashboard: str, expected: Expected | None = None) -> dict[str, str]:
        """The annotations: Go templates, or what these must have become in a trial."""
        values = dict(self.shown) if expected is None else dict(expected.shown)
        values["value"] = f"{{{{ $value | {self.value} }}}}" if expected is None else expected.value
        return {
            "summary": Template(self.summary).substitute(values),
            "description": Template(self.description).substitute(values),
            "runbook_url": f"{runbooks}#{self.name.lower()}",
            "dashboard_url": dashboard,
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, and their file.

    Attributes:
        name: Name of the group and of its file.
        rules: In the order of evaluation.
        trials: What proves its recording rules.
    """

    name: str
    rules: tuple[Recording | Alert, ...]
    trials: tuple[Trial, ...] = ()

    @property
    def alerts(self) -> Iterable[Alert]:
        """Its alerts."""
        return (rule for rule in self.rules if isinstance(rule, Alert))

    @property
    def recordings(self) -> Iterable[Recording]:
        """Its recording rules."""
        return (rule for rule in self.rules if isinstance(rule, Recording))
