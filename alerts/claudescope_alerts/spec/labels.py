"""Labels of a spec: those that select the service's series, and those that every rule adds."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, WithJsonSchema

from claudescope.schema.catalogue import METRICS
from claudescope_alerts.spec.fields import TEXT_PATTERN, LabelValue, distinct

__all__ = ["AddedLabels", "DeploymentLabels", "SelectingLabels"]

_NAME: Final = r"[a-zA-Z_][a-zA-Z0-9_]*"
_OF_METRICS: Final = frozenset(label.prometheus for metric in METRICS for label in metric.labels)
_OF_QUERIES: Final = frozenset({"le", "quantile", "day", "part"})
"""Labels of histograms, and those that recording rules make on the way."""

_OF_RULES: Final = frozenset({"alertname", "alertstate", "owner", "severity", "service", "slo", "tier"})
"""Labels that rules have already."""

_ADDED_RESERVED: Final = _OF_METRICS | _OF_QUERIES | _OF_RULES | {"instance", "job"}
_DEPLOYMENT_RESERVED: Final = _ADDED_RESERVED | {"datasource", "model", "workflow"}
_SELECTING_RESERVED: Final = _OF_METRICS | _OF_QUERIES


def _name(name: str) -> str:
    if not re.fullmatch(_NAME, name) or name.startswith("__"):
        raise ValueError(
            f"{name!r} is not the name of a label. Expected letters, digits and '_', and no '__' at the start"
        )
    return name


def _selecting(labels: dict[str, str]) -> dict[str, str]:
    for name in labels:
        if _name(name) in _SELECTING_RESERVED:
            raise ValueError(
                f"the label {name!r} is one of claudescope's own, by which the rules select. Expected labels that all "
                "series of the service have, such as job"
            )
    return labels


def _added(labels: dict[str, str]) -> dict[str, str]:
    for name in labels:
        if _name(name) in _ADDED_RESERVED:
            raise ValueError(f"the label {name!r} has a value already. Expected another name, such as team or cluster")
    return labels


def _deployment(names: list[str]) -> list[str]:
    for name in names:
        if _name(name) in _DEPLOYMENT_RESERVED:
            raise ValueError(f"the label {name!r} has a meaning already. Expected another name, such as cluster")
    return names


def _schema(reserved: frozenset[str]) -> WithJsonSchema:
    names: dict[str, Any] = {"pattern": rf"^(?!__){_NAME}$", "not": {"enum": sorted(reserved)}}
    values = {"type": "string", "pattern": TEXT_PATTERN}
    return WithJsonSchema({"type": "object", "propertyNames": names, "additionalProperties": values})


SelectingLabels = Annotated[dict[str, LabelValue], AfterValidator(_selecting), _schema(_SELECTING_RESERVED)]
"""Labels that select series."""

AddedLabels = Annotated[dict[str, LabelValue], AfterValidator(_added), _schema(_ADDED_RESERVED)]
"""Labels that rules add to what they record and to alerts."""

DeploymentLabels = Annotated[
    list[str],
    AfterValidator(distinct),
    AfterValidator(_deployment),
    WithJsonSchema(
        {
            "type": "array",
            "uniqueItems": True,
            "items": {"type": "string", "pattern": rf"^(?!__){_NAME}$", "not": {"enum": sorted(_DEPLOYMENT_RESERVED)}},
        }
    ),
]
"""Names of labels by which deployments differ."""
