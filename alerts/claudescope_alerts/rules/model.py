"""Rules, before they are written in the format of any system. Times are minutes throughout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from string import Template
from typing import Final
from urllib.parse import quote, quote_plus

from claudescope.schema.dashboard_uid import DashboardName, dashboard_uid
from claudescope.schema.error_types import Owner
from claudescope_alerts.rule_tests.model import Expected, RuleTest
from claudescope_alerts.spec.burn_rate_tiers import Severity
from claudescope_alerts.spec.model import Spec

__all__ = ["FOUR_DIGITS", "WHOLE", "Alert", "Group", "Recording"]


FOUR_DIGITS: Final = 'printf "%.4g"'
"""Formats a number that is no count: `humanize` would write 0.5 as 500m."""
WHOLE: Final = 'printf "%.0f"'
"""Formats a number of calls: Prometheus extrapolates it to a fraction, and `humanize` would write 1000 as 1k."""

_SCRAPE_LABELS: Final = ("job", "instance")
"""Labels of a service that dashboards have a variable for."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A rule that records a series.

    Attributes:
        name: Name of the series.
        expr: PromQL.
        labels: Labels that the rule adds.
    """

    name: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule that alerts. `summary` and `description` are `string.Template`s with `$value` and the `placeholders`.

    Attributes:
        name: Its name, and the heading of its runbook.
        expr: PromQL; its value is the number that the annotations show.
        severity: `page` or `ticket`; None for the dead man's switch.
        owner: Who can mend what it reports.
        summary: One sentence: the service, what happens, and the number.
        description: What it means, the window, the threshold, and what to do first.
        for_: Minutes that the condition must last before it fires (`for`).
        keep_firing_for: Minutes for which it fires after the condition ended (`keep_firing_for`).
        labels: Further labels.
        placeholders: Go template by placeholder of the texts.
        value_format: Function of Prometheus' templates that formats the number.
        rule_tests: Its tests.
        dashboard: The dashboard that it links to.
        dashboard_variables: Placeholder of `placeholders` by the dashboard variable that the link sets to it.
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
    placeholders: Mapping[str, str] = field(default_factory=dict[str, str])
    value_format: str = "humanizePercentage"
    rule_tests: tuple[RuleTest, ...] = ()
    dashboard: DashboardName = "overview"
    dashboard_variables: Mapping[str, str] = field(default_factory=dict[str, str])

    def static_labels(self, spec: Spec) -> dict[str, str]:
        """The labels that the rule adds."""
        return {**spec.service.own_labels, "severity": self.severity or "none", "owner": self.owner, **self.labels}

    def annotations(self, spec: Spec, expected: Expected | None = None) -> dict[str, str]:
        """The annotations: as Go templates, or as a rule test expects them.

        Args:
            spec: Has the URLs of runbooks and dashboards.
            expected: The firing alert of a rule test; None for Go templates.
        """
        values = dict(self.placeholders) if expected is None else dict(expected.placeholders)
        values["value"] = f"{{{{ $value | {self.value_format} }}}}" if expected is None else expected.value
        return {
            "summary": Template(self.summary).substitute(values),
            "description": Template(self.description).substitute(values),
            "runbook_url": f"{spec.links.runbooks}#{self.name.lower()}",
            "dashboard_url": self._dashboard(spec, expected),
        }

    def _dashboard(self, spec: Spec, expected: Expected | None) -> str:
        """URL of the dashboard, with its variables set as in Grafana's own URLs (`var-model=...`)."""
        chosen = {name: quote(value, safe="") for name, value in spec.service.labels.items() if name in _SCRAPE_LABELS}
        for variable, placeholder in self.dashboard_variables.items():
            template = self.placeholders[placeholder]
            # `urlquery` exists in the templates of Prometheus, vmalert and Grafana.
            chosen[variable] = (
                f"{template.removesuffix(' }}')} | urlquery }}}}"
                if expected is None
                else quote_plus(expected.placeholders[placeholder])
            )
        variables = "&".join(f"var-{name}={value}" for name, value in chosen.items())
        dashboard = f"{spec.links.grafana.rstrip('/')}/d/{dashboard_uid(self.dashboard, spec.service.name)}"
        return f"{dashboard}?{variables}" if variables else dashboard


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, and written to one file.

    Attributes:
        name: Name of the group and of its file.
        rules: The rules in the order of evaluation.
        rule_tests: Tests of its recording rules.
        interval: Minutes between evaluations; None for the default of the evaluator.
    """

    name: str
    rules: tuple[Recording | Alert, ...]
    rule_tests: tuple[RuleTest, ...] = ()
    interval: int | None = None

    @property
    def alerts(self) -> Iterable[Alert]:
        """Its alerts."""
        return (rule for rule in self.rules if isinstance(rule, Alert))

    @property
    def recordings(self) -> Iterable[Recording]:
        """Its recording rules."""
        return (rule for rule in self.rules if isinstance(rule, Recording))
