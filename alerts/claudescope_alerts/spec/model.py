"""A whole `claudescope.yaml`. Every key has a default except `version` and `objectives`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from claudescope._internal.yaml_model import load_yaml_model
from claudescope_alerts.spec.fields import BaseUrl, Flag, Identifier, PageUrl, SpecModel, Text
from claudescope_alerts.spec.labels import AddedLabels, DeploymentLabels, SelectingLabels
from claudescope_alerts.spec.objectives import Objective
from claudescope_alerts.spec.routing import Routing
from claudescope_alerts.spec.thresholds import Thresholds

__all__ = ["DEFAULT_SPEC", "Grafana", "Histograms", "Links", "Naming", "Service", "Spec", "json_schema", "load_spec"]

DEFAULT_SPEC: Final = Path(__file__).with_name("claudescope.yaml")
"""The spec that is used where a user gives none."""

RUNBOOKS: Final = "https://claudescope.readthedocs.io/en/stable/runbooks/"
"""The page of runbooks where a spec names none."""

Naming = Literal["prometheus", "without-suffixes", "utf8", "victoriametrics"]
Histograms = Literal["auto", "classic", "native"]


def _not_a_flag(value: object) -> object:
    """To pydantic, `true` is 1."""
    if isinstance(value, bool):
        raise ValueError("expected 1")  # noqa: TRY004 # pydantic reports a ValueError
    return value


class Service(SpecModel):
    """The service whose calls the spec is about."""

    name: Identifier = "claude"
    """Value of the label `service` of every rule: lower-case letters, digits and hyphens. Default: claude."""

    labels: SelectingLabels = Field(default={})
    """Labels that select the service's series, such as `{job: checkout-assistant}`. Default: every series."""

    alert_labels: AddedLabels = Field(default={})
    """Labels that every rule adds to its alerts and to what it records, such as `{team: search, cluster: eu-1}`. Alerts
    are grouped by them. Default: none."""

    deployment_labels: DeploymentLabels = Field(default=[])
    """Labels that tell deployments of the service apart, such as `[cluster]`. Alerts are grouped by them, and
    dashboards have a variable for each. Default: none; alerts are grouped by `cluster` in any case."""

    @property
    def own_labels(self) -> dict[str, str]:
        """The labels that every rule adds: they tell the rules of this spec from those of others."""
        return {"service": self.name, **self.alert_labels}


class Links(SpecModel):
    """Where the links of an alert lead."""

    runbooks: PageUrl = RUNBOOKS
    """URL of the page of runbooks; an alert adds its heading as `#anchor`. Default: the page of claudescope's
    documentation."""

    grafana: BaseUrl = "http://localhost:3000"
    """URL of Grafana; an alert adds the path of its dashboard. Default: http://localhost:3000."""


class Grafana(SpecModel):
    """Where Grafana-managed rules are kept."""

    datasource: str = Field(default="prometheus", pattern=r"^[a-zA-Z0-9_-]{1,40}$")
    """Uid of the Prometheus data source that the rules query and record to. Default: prometheus."""

    folder: Text = "claudescope"
    """Folder that holds the rules. Default: claudescope."""


class Spec(SpecModel):
    """A whole `claudescope.yaml`."""

    version: Annotated[Literal[1], BeforeValidator(_not_a_flag)]
    """Version of this format: 1. Required."""

    service: Service = Service()
    """The service whose calls the spec is about. Default: every call, under the name `claude`."""

    naming: Naming = "prometheus"
    """How the backend names metrics and labels. `prometheus`: with underscores, units and `_total`, as metrics that are
    scraped. `without-suffixes`: with underscores alone. `utf8`: with the dots kept, units and `_total`.
    `victoriametrics`: OpenTelemetry's own names. `claudescope alerts check --prometheus URL` says which one fits.
    Default: prometheus."""

    namespace: str = Field(default="", pattern=r"^([a-zA-Z][a-zA-Z0-9_]*[a-zA-Z0-9]|[a-zA-Z])?$", max_length=60)
    """Prefix of the names of metrics, without its underscore, as the key `namespace` of a Collector's exporter adds it.
    Default: none."""

    histograms: Histograms = "auto"
    """In which form the backend stores histograms. `classic`: a series for each bucket. `native`: native histograms of
    Prometheus, exponential ones or such with custom buckets, as they arrive over OTLP. `auto`: queries answer for
    both. A fixed form makes them shorter. Default: auto."""

    links: Links = Links()
    """Where the links of an alert lead. Default: the runbooks of claudescope's documentation, and
    Grafana on localhost."""

    objectives: list[Objective] = Field(min_length=1)
    """Objectives, each with an error budget. Required, at least one."""

    thresholds: Thresholds = Thresholds()
    """Thresholds of the alerts on symptoms. Default: those below."""

    routing: Routing = Routing()
    """Who receives which alert, and when. Default: nobody."""

    grafana: Grafana = Grafana()
    """Where Grafana-managed rules are kept. Default: see the keys below."""

    fleet_rollup: Flag = False
    """Whether rules sum the series of all instances, and dashboards read these sums: for fleets of a hundred instances
    and more. Default: false, as such a dashboard shows little where the rules are not evaluated."""

    @model_validator(mode="after")
    def _sums_keep_their_labels(self) -> Spec:
        if self.fleet_rollup:
            for name in ("service", "instance", *self.service.alert_labels):
                if name in self.service.labels:
                    raise ValueError(
                        f"fleet_rollup sums over the label {name!r}, or adds it, and service.labels select by it. "
                        "Select by another label, or leave out fleet_rollup"
                    )
        return self

    @field_validator("objectives")
    @classmethod
    def _distinct(cls, objectives: list[Objective]) -> list[Objective]:
        names = [objective.name for objective in objectives]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two objectives have the name {name!r}. Rename one")
        return objectives


def json_schema() -> str:
    """The JSON Schema of a spec, as text."""
    return json.dumps(Spec.model_json_schema(), indent=2) + "\n"


def load_spec(path: Path | None = None) -> Spec:
    """Read a spec.

    Args:
        path: The file; None for the default spec.

    Raises:
        BadInputError: The file can't be read or has mistakes. The message has one line for each mistake, which starts
            with `file:line:`.
    """
    return load_yaml_model(path or DEFAULT_SPEC, Spec)
