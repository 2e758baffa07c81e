"""The part of a spec that says what counts as good: objectives, each with an error budget."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from claudescope._internal.exceptions import did_you_mean
from claudescope.schema.catalogue import DURATION, REQUEST_MODEL, TIME_TO_FIRST_CHUNK, Metric
from claudescope.schema.error_types import ERROR_TYPES, Owner
from claudescope_alerts.spec.burn_rate_tiers import TIERS, TierName
from claudescope_alerts.spec.fields import (
    Count,
    Duration,
    Flag,
    Identifier,
    LabelValue,
    Percent,
    SpecModel,
    Text,
    bucket,
    distinct,
    label_named,
    metric_named,
)

__all__ = ["Objective", "Preset", "Selection", "Sli"]

Preset = Literal["claude-availability", "claude-first-token", "claude-duration", "claude-without-retry", "custom"]

_LATENCY: Final[Mapping[str, Metric]] = {"claude-first-token": TIME_TO_FIRST_CHUNK, "claude-duration": DURATION}


class Selection(SpecModel):
    """Events of one metric: a counter, or the records of a histogram."""

    metric: Text
    """OpenTelemetry name of a counter or histogram of the catalogue, such as `claude.client.responses`. Required."""

    match: dict[str, Annotated[list[LabelValue], Field(min_length=1), AfterValidator(distinct)]] = Field(default={})
    """Allowed values by label, under the labels' OpenTelemetry names. An event must match all labels. Default: all
    events of the metric."""

    @field_validator("metric")
    @classmethod
    def _counts_events(cls, name: str) -> str:
        if metric_named(name).instrument not in {"counter", "histogram"}:
            raise ValueError(f"{name} counts no events. Expected a counter or a histogram")
        return name

    @model_validator(mode="after")
    def _labels_exist(self) -> Selection:
        for name, values in self.match.items():
            label = label_named(name, metric_named(self.metric))
            for value in values:
                if label.values is not None and value not in label.values:
                    raise ValueError(f"{name} never has the value {value!r}.{did_you_mean(value, label.values)}")
        return self

    def left_out(self, name: str, within: Selection | None = None) -> str | None:
        """A value of a label that this selection does not match, though another one does; None if there is none.

        Args:
            name: OpenTelemetry name of the label.
            within: The other selection, of the same metric; None for one that matches every event.
        """
        label, mine = label_named(name, metric_named(self.metric)), self.match.get(name)
        allowed = within.match.get(name) if within is not None else None
        known = allowed if allowed is not None else label.values if label.values is not None else ("another",)
        return next((value for value in known if value not in mine), None) if mine is not None else None


class Sli(SpecModel):
    """The service level indicator: which events count, and which of them are bad."""

    preset: Preset
    """What is measured. Required. `claude-availability`: calls; bad are those that failed for a reason that is not in
    their request. `claude-first-token`: streams; bad are those whose first token took longer than `threshold`.
    `claude-duration`: answered calls; bad are those that took longer than `threshold`. `claude-without-retry`:
    attempts; bad are those that failed or were repeated. `custom`: the events of `total`; bad are those of `bad`."""

    owner: Annotated[list[Owner], AfterValidator(distinct)] = Field(default=[])
    """With `claude-availability` only: count an error as bad only if one of these owners can mend it. Default: every
    owner."""

    threshold: Duration | None = None
    """With `claude-first-token` and `claude-duration`, which require it: the longest time that is good, with its unit,
    such as `2.56s`. It must be the end of a bucket of the histogram. No default."""

    per_model: Flag = False
    """Whether each requested model has an error budget of its own. Default: false, one budget for all models."""

    models: Annotated[list[LabelValue], AfterValidator(distinct)] = Field(default=[])
    """Requested models that count. Default: every model."""

    bad: Selection | None = None
    """With `custom` only, which requires it: the bad events. They must be some of `total`. No default."""

    total: Selection | None = None
    """With `custom` only, which requires it: all events. No default."""

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
        if self.owner and not any(row.in_budget for row in ERROR_TYPES.values() if row.owner in self.owner):
            raise ValueError(
                f"owner [{', '.join(self.owner)}]: no error of theirs counts against an error budget, so no "
                "event would ever be bad. Add another owner, or leave owner out"
            )
        return self

    def _countable(self, bad: Selection, total: Selection) -> None:
        """Check that bad events are some of all events, and that each has the label that splits the budget."""
        for selection in (bad, total):
            if (self.per_model or self.models) and REQUEST_MODEL not in metric_named(selection.metric).labels:
                raise ValueError(
                    f"{selection.metric} has no label {REQUEST_MODEL.name!r}. Leave out per_model and models"
                )
            if (self.per_model or self.models) and REQUEST_MODEL.name in selection.match:
                raise ValueError(
                    f"match selects by {REQUEST_MODEL.name!r}, as per_model and models do. Use models, and leave it "
                    "out of match"
                )
        if bad.metric != total.metric:
            return
        for name, values in total.match.items():
            beyond = [value for value in bad.match.get(name, ["anything"]) if value not in values]
            if beyond:
                raise ValueError(
                    f"bad counts {name} {beyond[0]!r}, which total leaves out, so there could be more bad events than "
                    f"events. Narrow bad to {name}: [{', '.join(values)}], or widen total"
                )
        if not any(bad.left_out(name, total) for name in bad.match):
            raise ValueError(
                "bad counts all events that total counts, so every event would be bad. Narrow bad, or widen total"
            )


class Objective(SpecModel):
    """One objective and its error budget."""

    name: Identifier
    """Value of the label `slo` of its series and alerts, and part of file names: lower-case letters, digits and
    hyphens. Required, and unique in the spec."""

    target: Percent
    """Percent of events that must be good over `window`, such as 99.5. Required."""

    window: Literal["28d", "30d", "90d"] = "30d"
    """Period of the error budget, in days. Default: 30d."""

    sli: Sli
    """What is measured. Required."""

    min_failures: Count = Field(default=5, ge=1, le=1_000_000)
    """Number of bad events within the long window of a tier below which the tier stays silent. Default: 5."""

    tiers: Annotated[list[TierName], AfterValidator(distinct)] = Field(default=list(TIERS))
    """Burn-rate tiers that alert; an empty list for none. Default: all four."""

    owner: Owner = "provider"
    """Who can mend what the alerts of this objective report: the value of their label `owner`. Default: provider."""

    @property
    def budget(self) -> Decimal:
        """The ratio of events that may be bad."""
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
                    f"target {self.target}: the tier {name} can never fire: a burn rate of {factor} needs "
                    f"{errors:.4g} % of errors. Raise target above {least:.4g}, or leave {name} out of tiers"
                )
        return self
