"""What is generated, before it takes the form of any system: rules, and the trials that prove them.

A *rule* records a series or alerts. A *trial* is a story in minutes (what calls happen, when the alert must be silent
and when it must fire) that becomes a promtool unit test. Times are minutes throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Context, Decimal, localcontext
from string import Template
from typing import Final
from urllib.parse import quote, quote_plus

from claudescope.schema.dashboard_uid import DashboardName, dashboard_uid
from claudescope.schema.error_types import Owner
from claudescope_alerts.spec.burn_rate_tiers import Severity
from claudescope_alerts.spec.model import Spec

__all__ = [
    "PLAIN",
    "Alert",
    "Expected",
    "Group",
    "Query",
    "Recording",
    "RuleTest",
    "counter",
    "format_number",
    "many_events",
    "percentage",
]


PLAIN: Final = 'printf "%.4g"'
"""Formats a number that is no count: `humanize` would write 0.5 as 500m."""

_SCRAPE_LABELS: Final = ("job", "instance")
"""Labels of a service that boards have a variable for."""


def format_number(number: Decimal | float) -> str:
    """Write a number as it was meant: no exponent, no `0.9990000000000001`."""
    text = f"{Decimal(str(number)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percentage(ratio: Decimal) -> str:
    """Write a share as Prometheus' `humanizePercentage` does."""
    return f"{float(ratio * 100):.4g}%"


def counter(*segments: tuple[int, Decimal | float], start: Decimal | float = 1_000_000, every: int = 1) -> str:
    """A counter in promtool's notation.

    Args:
        segments: How many minutes, and the increase from sample to sample.
        start: Its first value; far from zero by default, as Prometheus extrapolates counters near zero less.
        every: Minutes between samples: a divisor of all minutes.
    """
    with localcontext(Context(prec=60)):
        value = _binary(Decimal(str(start)))
        parts = [format_number(value)]
        for minutes, rate in segments:
            step, samples = _binary(Decimal(str(rate))), minutes // every
            if samples > 0:
                parts.append(f"{format_number(value + step)}+{format_number(step)}x{samples - 1}")
                value += step * samples
        return " ".join(parts)


def _binary(number: Decimal) -> Decimal:
    """The nearest number that floats add up without rounding: a sum a little too low would be a counter's reset."""
    fraction = 2**20 if number < 1000 else 2**10
    return (number * fraction).to_integral_value() / fraction


def many_events(failures: int, ratio: Decimal) -> Decimal:
    """So many events from sample to sample that a share of them meets a guard on their number at once."""
    return max(Decimal(100_000), (2 * failures / ratio).to_integral_value(ROUND_CEILING))


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
class RuleTest:
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
        owner: Whose fault it is.
        summary: One sentence with the number.
        description: What it means, with the threshold.
        for_: Minutes that the condition must last (`for`).
        keep_firing_for: Minutes for which it goes on after it ended (`keep_firing_for`).
        labels: Further labels.
        shown: Go template by placeholder of the texts.
        value: Function of Go's or Prometheus' templates that formats the number.
        rule_tests: What proves it.
        dashboard: The dashboard that answers it.
        narrowed: Placeholder of `shown` by the board's variable that it narrows.
    """

    name: str
    expr: str
    severity: Severity | None
    owner: Owner
    summary: str
    description: str
    for_: int = 0
    keep_firing_for: int = 0
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    shown: Mapping[str, str] = field(default_factory=dict[str, str])
    value: str = "humanizePercentage"
    rule_tests: tuple[RuleTest, ...] = ()
    dashboard: DashboardName = "overview"
    narrowed: Mapping[str, str] = field(default_factory=dict[str, str])

    def static_labels(self, service: str) -> dict[str, str]:
        """The labels that the rule adds."""
        return {"service": service, "severity": self.severity or "none", "owner": self.owner, **self.labels}

    def annotations(self, spec: Spec, expected: Expected | None = None) -> dict[str, str]:
        """The annotations: Go templates, or what these must have become in a trial.

        Args:
            spec: Says where runbooks and dashboards are.
            expected: The trial.
        """
        values = dict(self.shown) if expected is None else dict(expected.shown)
        values["value"] = f"{{{{ $value | {self.value} }}}}" if expected is None else expected.value
        return {
            "summary": Template(self.summary).substitute(values),
            "description": Template(self.description).substitute(values),
            "runbook_url": f"{spec.links.runbooks}#{self.name.lower()}",
            "dashboard_url": self._dashboard(spec, expected),
        }

    def _dashboard(self, spec: Spec, expected: Expected | None) -> str:
        """The board, with its variables set as Grafana's URLs set them (`var-model=...`)."""
        chosen = {name: quote(value, safe="") for name, value in spec.service.labels.items() if name in _SCRAPE_LABELS}
        for variable, placeholder in self.narrowed.items():
            template = self.shown[placeholder]
            # Go templates have a function for it, in Prometheus, in vmalert and in Grafana.
            chosen[variable] = (
                f"{template.removesuffix(' }}')} | urlquery }}}}"
                if expected is None
                else quote_plus(expected.shown[placeholder])
            )
        variables = "&".join(f"var-{name}={value}" for name, value in chosen.items())
        dashboard = f"{spec.links.grafana.rstrip('/')}/d/{dashboard_uid(self.dashboard, spec.service.name)}"
        return f"{dashboard}?{variables}" if variables else dashboard


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, and their file.

    Attributes:
        name: Name of the group and of its file.
        rules: In the order of evaluation.
        rule_tests: What proves its recording rules.
        every: Minutes between evaluations; None for what the evaluator does by default.
    """

    name: str
    rules: tuple[Recording | Alert, ...]
    rule_tests: tuple[RuleTest, ...] = ()
    every: int | None = None

    @property
    def alerts(self) -> Iterable[Alert]:
        """Its alerts."""
        return (rule for rule in self.rules if isinstance(rule, Alert))

    @property
    def recordings(self) -> Iterable[Recording]:
        """Its recording rules."""
        return (rule for rule in self.rules if isinstance(rule, Recording))
