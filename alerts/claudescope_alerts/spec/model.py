"""What a `claudescope.yaml` may say. Every field has a default but `version`: the shipped file needs no editing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from claudescope._internal.yaml_model import Duration, did_you_mean, load_yaml_model
from claudescope.schema.catalogue import (
    DURATION,
    METRICS,
    REQUEST_MODEL,
    STREAM_STALL,
    TIME_TO_FIRST_CHUNK,
    Label,
    Metric,
)
from claudescope.schema.error_types import Owner
from claudescope_alerts.spec.burn_rate_tiers import TIERS, TierName
from claudescope_alerts.spec.routing import Routing, SpecModel

__all__ = [
    "DEFAULT_SPEC",
    "Objective",
    "Selection",
    "Sli",
    "Spec",
    "Thresholds",
    "bucket",
    "json_schema",
    "label_named",
    "load_spec",
    "metric_named",
]

DEFAULT_SPEC: Final = Path(__file__).with_name("claudescope.yaml")
"""The spec that is used where a user gives none."""

Naming = Literal["prometheus", "utf8", "victoriametrics"]
Preset = Literal["claude-availability", "claude-first-token", "claude-duration", "claude-without-retry", "custom"]

_LATENCY: Final[Mapping[str, Metric]] = {"claude-first-token": TIME_TO_FIRST_CHUNK, "claude-duration": DURATION}


def _ratio(value: object) -> Decimal:
    text = str(value).strip()
    try:
        ratio = Decimal(text[:-1]) / 100 if text.endswith("%") else Decimal(text)
    except InvalidOperation:
        ratio = Decimal(-1)
    # An alert fires above its share, so one on 100 % never would.
    if not 0 < ratio < 1:
        raise ValueError("expected a share such as '5%' or 0.05, above 0 and below 100%")
    return ratio


def _decimal(value: object) -> object:
    return str(value) if isinstance(value, float) else value


Ratio = Annotated[Decimal, BeforeValidator(_ratio, json_schema_input_type=str | float)]
"""A share of calls: `5%` or 0.05."""

Number = Annotated[Decimal, BeforeValidator(_decimal, json_schema_input_type=float | int | str)]
"""A number, exact as it was written."""

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
"""A name that is part of file names and label values."""


def metric_named(name: str) -> Metric:
    """The metric of the catalogue that has an OpenTelemetry name.

    Raises:
        ValueError: There is none.
    """
    for metric in METRICS:
        if metric.name == name:
            return metric
    raise ValueError(f"nobody emits the metric {name!r}.{did_you_mean(name, [metric.name for metric in METRICS])}")


def label_named(name: str, metric: Metric) -> Label:
    """The label of a metric that has an OpenTelemetry name.

    Raises:
        ValueError: The metric has none such.
    """
    for label in metric.labels:
        if label.name == name:
            return label
    known = [label.name for label in metric.labels]
    raise ValueError(f"{metric.name} has no label {name!r}.{did_you_mean(name, known)} Its labels: {', '.join(known)}")


def bucket(metric: Metric, seconds: float) -> str:
    """The bound of a histogram's bucket as Prometheus shows it.

    Raises:
        ValueError: The histogram has no bucket that ends there: calls could not be counted against it.
    """
    for bound in metric.buckets:
        if abs(bound - seconds) < 1e-9 * bound:
            return f"{bound:.10g}"
    lower = max((bound for bound in metric.buckets if bound < seconds), default=metric.buckets[0])
    upper = min((bound for bound in metric.buckets if bound > seconds), default=metric.buckets[-1])
    near = " or ".join(f"{bound:.10g}s" for bound in dict.fromkeys((lower, upper)))
    raise ValueError(f"{metric.name} has no bucket that ends at {seconds:g}s, so nothing counts calls up to there. "
                     f"The nearest that have one: {near}")  # fmt: skip


class Selection(SpecModel):
    """Events of the catalogue: a counter, or the records of a histogram, with some values of its labels.

    Attributes:
        metric: OpenTelemetry name, such as `claude.client.responses`.
        match: Values by OpenTelemetry name of the label; all must hold.
    """

    metric: str
    match: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(default={})

    @field_validator("metric")
    @classmethod
    def _known(cls, name: str) -> str:
        if metric_named(name).instrument not in {"counter", "histogram"}:
            raise ValueError(f"{name} counts no events: choose a counter or a histogram")
        return name

    @model_validator(mode="after")
    def _labels(self) -> Selection:
        for name, values in self.match.items():
            label = label_named(name, metric_named(self.metric))
            for value in values:
                if label.values is not None and value not in label.values:
                    raise ValueError(f"{name} never is {value!r}.{did_you_mean(value, label.values)}")
        return self

    def left_out(self, name: str, within: Selection | None = None) -> str | None:
        """A value of a label that this does not match, though another selection does; None if there is none.

        Args:
            name: OpenTelemetry name of the label.
            within: The other selection, of the same metric; None for one that matches everything.
        """
        label, mine = label_named(name, metric_named(self.metric)), self.match.get(name)
        allowed = within.match.get(name) if within is not None else None
        known = allowed if allowed is not None else label.values if label.values is not None else ("another",)
        return next((value for value in known if value not in mine), None) if mine is not None else None


class Sli(SpecModel):
    """What counts as an event, and what as a bad one.

    Attributes:
        preset: `claude-availability`: calls against those that failed for a reason that is not in their request.
            `claude-first-token`: streams whose first token took longer than `threshold`. `claude-duration`: answered
            calls that took longer. `claude-without-retry`: attempts repeated or failed. `custom`: `bad` and `total`.
        owner: With `claude-availability`: only errors that are this one's fault count as bad.
        threshold: With the latency presets: the end of a bucket of the histogram.
        per_model: One budget for each model that was asked for.
        models: Only these models.
        bad: With `custom`: the bad events.
        total: With `custom`: all events.
    """

    preset: Preset
    owner: list[Owner] = Field(default=[])
    threshold: Duration | None = None
    per_model: bool = False
    models: list[str] = Field(default=[])
    bad: Selection | None = None
    total: Selection | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Sli:
        latency = _LATENCY.get(self.preset)
        if (latency is not None) != (self.threshold is not None):
            needs = "needs a threshold, such as '2.56s'" if latency else "takes no threshold"
            raise ValueError(f"{self.preset} {needs}")
        if latency is not None and self.threshold is not None:
            bucket(latency, self.threshold)
        if (self.preset == "custom") != (self.bad is not None and self.total is not None):
            raise ValueError("preset custom takes both bad and total, and no other preset takes either")
        if self.bad is not None and self.total is not None:
            self._countable(self.bad, self.total)
        if self.owner and self.preset != "claude-availability":
            raise ValueError(f"{self.preset} takes no owner: only claude-availability does")
        return self

    def _countable(self, bad: Selection, total: Selection) -> None:
        """Bad events are some of all events, and each has the label that splits the budget."""
        for selection in (bad, total):
            if (self.per_model or self.models) and REQUEST_MODEL not in metric_named(selection.metric).labels:
                raise ValueError(
                    f"{selection.metric} has no label {REQUEST_MODEL.name!r}. Leave out per_model and models"
                )
        if bad.metric != total.metric:
            return
        for name, values in total.match.items():
            beyond = [value for value in bad.match.get(name, ["anything"]) if value not in values]
            if beyond:
                raise ValueError(
                    f"bad counts {name} {beyond[0]!r}, which total leaves out, so more could be bad than there is. "
                    f"Narrow bad to {name}: [{', '.join(values)}], or widen total"
                )
        if not any(bad.left_out(name, total) for name in bad.match):
            raise ValueError(
                "bad counts all that total counts, so every event would be bad. Narrow bad, or widen total"
            )


class Objective(SpecModel):
    """One objective and its error budget.

    Attributes:
        name: Value of the label `slo`.
        target: Percent of events that must be good.
        window: Period of the budget.
        sli: What is measured.
        min_failures: Bad events within a tier's long window below which it stays silent.
        tiers: The tiers that alert.
        owner: Value of the label `fault` of its alerts.
    """

    name: Identifier
    target: Number = Field(gt=0, lt=100)
    window: Literal["28d", "30d", "90d"] = "30d"
    sli: Sli
    min_failures: int = Field(default=5, ge=1)
    tiers: list[TierName] = Field(default=list(TIERS))
    owner: Owner = "provider"

    @property
    def budget(self) -> Decimal:
        """The share of events that may be bad."""
        return ((100 - self.target) / 100).normalize()

    @property
    def period_days(self) -> int:
        """Period of the budget in days."""
        return int(self.window[:-1])

    @model_validator(mode="after")
    def _each_tier_can_fire(self) -> Objective:
        for name in self.tiers:
            factor = TIERS[name].factor(self.period_days)
            if factor * self.budget >= 1:
                errors, least = float(factor * self.budget * 100), float(100 - 100 / factor)
                raise ValueError(
                    f"target {self.target}: the tier {name} can never fire: a burn rate of {factor} would take "
                    f"{errors:.4g} % of errors. Raise target above {least:.4g}, or leave "
                    f"{name} out of tiers"
                )
        return self


class Thresholds(SpecModel):
    """Thresholds of the alerts on symptoms; null leaves the alert out where it says so.

    Attributes:
        min_failures: Failures within an alert's window below which a share says nothing.
        min_calls: Calls within an alert's window below which a percentile or an average says nothing.
        error_type_ratio: Share of calls that end in one kind of error.
        unavailable_ratio: Share of calls that fail by the provider's or the network's fault; pages.
        retry_ratio: Share of attempts that are followed by another.
        p95_over_baseline: p95 over the median of the same hour on earlier days.
        p95_floor: A p95 below this is never slow.
        tokens_over_baseline: Tokens per call over that median, or below it by the same factor.
        cost_over_baseline: Cost per call over that median.
        cost_per_call_usd: Cost per call in US dollars that is too much in any case; null for none.
        daily_budget_usd: What a day may cost, in US dollars; null for no budget.
        headroom: Share of a rate limit that is left.
        pool_timeouts: Calls in 5 minutes that found no free connection.
        stream_cut_ratio: Share of calls whose stream broke.
        stall: Longest gap within a stream; the end of a bucket.
        stall_ratio: Share of streams with a longer gap.
        truncation_ratio: Share of answers cut by `max_tokens` or the context window.
        refusal_ratio: Share of answers that are refusals.
        absent_after: How long telemetry may be away.
    """

    min_failures: int = Field(default=5, ge=2)
    min_calls: int = Field(default=20, ge=1)
    error_type_ratio: Ratio = Decimal("0.05")
    unavailable_ratio: Ratio = Decimal("0.5")
    retry_ratio: Ratio = Decimal("0.10")
    p95_over_baseline: Number = Field(default=Decimal(2), gt=1)
    p95_floor: Duration = 2.0
    tokens_over_baseline: Number = Field(default=Decimal(2), gt=1)
    cost_over_baseline: Number = Field(default=Decimal(2), gt=1)
    cost_per_call_usd: Number | None = Field(default=None, gt=0)
    daily_budget_usd: Number | None = Field(default=None, gt=0)
    headroom: Ratio = Decimal("0.10")
    pool_timeouts: int = Field(default=5, ge=2)
    stream_cut_ratio: Ratio = Decimal("0.02")
    stall: Duration = 20.48
    stall_ratio: Ratio = Decimal("0.05")
    truncation_ratio: Ratio = Decimal("0.10")
    refusal_ratio: Ratio = Decimal("0.05")
    absent_after: Duration = 600.0

    @field_validator("stall")
    @classmethod
    def _bucket(cls, seconds: float) -> float:
        bucket(STREAM_STALL, seconds)
        return seconds


class Service(SpecModel):
    """Whose calls the spec is about.

    Attributes:
        name: Value of the label `service` of everything generated.
        labels: Labels of the scraped series that select them, such as `job`; none for all.
    """

    name: Identifier = "claude"
    labels: dict[Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")], str] = Field(default={})


class Links(SpecModel):
    """Where an alert points to.

    Attributes:
        runbooks: The page of runbooks; the alert's heading follows as `#anchor`.
        grafana: Where Grafana is; the board that answers the alert follows.
    """

    runbooks: str = "docs/runbooks.md"
    grafana: str = "http://localhost:3000"


class Grafana(SpecModel):
    """Where Grafana-managed rules go.

    Attributes:
        datasource: Uid of the Prometheus data source that they ask, and record to.
        folder: The folder that holds them.
    """

    datasource: str = Field(default="prometheus", pattern=r"^[a-zA-Z0-9_-]{1,40}$")
    folder: str = Field(default="claudescope", min_length=1)


class Spec(SpecModel):
    """A whole `claudescope.yaml`.

    Attributes:
        version: Version of this format.
        service: Whose calls it is about.
        naming: How the backend names OpenTelemetry's metrics.
        links: Where alerts point to.
        objectives: Objectives with error budgets.
        thresholds: Thresholds of the alerts on symptoms.
        routing: Who gets what.
        grafana: Where Grafana-managed rules go.
        fleet_rollup: Record what boards show of all instances, and let them read that: for large fleets.
    """

    version: Literal[1]
    service: Service = Service()
    naming: Naming = "prometheus"
    links: Links = Links()
    objectives: list[Objective] = Field(min_length=1)
    thresholds: Thresholds = Thresholds()
    routing: Routing = Routing()
    grafana: Grafana = Grafana()
    fleet_rollup: bool = False

    @field_validator("objectives")
    @classmethod
    def _distinct(cls, objectives: list[Objective]) -> list[Objective]:
        names = [objective.name for objective in objectives]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two objectives are called {name!r}. Rename one")
        return objectives


def json_schema() -> str:
    """The JSON Schema of a spec, as text."""
    return json.dumps(Spec.model_json_schema(), indent=2) + "\n"


def load_spec(path: Path | None = None) -> Spec:
    """Read a spec.

    Args:
        path: The file; None for the default spec.

    Raises:
        BadInputError: With one line for each mistake, which starts with `file:line:`.
    """
    return load_yaml_model(path or DEFAULT_SPEC, Spec)
