"""Building blocks of panels. Only this folder uses grafanalib.

grafanalib predates some of Grafana's current panels. The subclasses here add what it lacks, in the shape of
`@grafana/schema`: Prometheus targets with exemplars, and panels of a newer shape. `normalise` removes the outdated keys
that grafanalib prints.
"""

from __future__ import annotations

import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import grafanalib.core  # pyright: ignore[reportMissingTypeStubs] # it has none

from claudescope_dashboards.grafana.palette import GOOD

__all__ = [
    "DATASOURCE",
    "LAST",
    "Column",
    "Json",
    "Panel",
    "Query",
    "SchemaPanel",
    "Step",
    "Target",
    "below",
    "core",
    "decoded",
    "defaults_of",
    "drill_down",
    "fixed_colours",
    "override",
    "targets_of",
    "thresholds_of",
]

core: Any = grafanalib.core
Json = dict[str, Any]
Panel = Any
"""A grafanalib panel."""

DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
"""The data source that the reader selected."""

_KEPT: Final = ("datasource", "job", "instance", "model", "workflow")
LAST: Final = "lastNotNull"


@dataclass(frozen=True, slots=True)
class Query:
    """A query of a panel.

    Attributes:
        expr: PromQL.
        legend: Name of its series in the legend; `{{label}}` stands for a label's value.
        instant: Whether to ask for one value at the end of the time range, rather than one for each step.
        exemplars: Whether to show exemplars, which link to traces.
        format: Shape of the result.
    """

    expr: str
    legend: str = ""
    instant: bool = False
    exemplars: bool = False
    format: Literal["time_series", "table", "heatmap"] = "time_series"


@dataclass(frozen=True, slots=True)
class Step:
    """A colour and the value from which it applies; None stands for minus infinity."""

    colour: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        query: PromQL whose result has the labels of the table.
        title: Heading; a column without one is hidden.
        unit: Grafana's id of the unit.
        steps: Thresholds that colour its text.
        decimals: Digits after the point. By default as many as fit.
        mappings: Texts to show for values.
    """

    query: str
    title: str
    unit: str
    steps: tuple[Step, ...] = ()
    decimals: int | None = None
    mappings: tuple[Json, ...] = ()


class Target(core.Target):
    """A query of a Prometheus data source, in the form that its editor saves."""

    def __init__(self, query: Query, ref: str) -> None:
        super().__init__(expr=query.expr, refId=ref)  # pyright: ignore[reportUnknownMemberType]
        self.query = query

    def to_json_data(self) -> Json:
        """Return the keys that the data source reads."""
        query = self.query
        return {
            "datasource": DATASOURCE,
            "editorMode": "code",
            "exemplar": query.exemplars or None,
            "expr": query.expr,
            "format": query.format,
            "instant": query.instant,
            "legendFormat": query.legend or "__auto",
            "range": not query.instant,
            "refId": self.refId,
        }


class SchemaPanel(core.Panel):
    """A panel whose type grafanalib has only in an old shape, or lacks.

    Args:
        panel_type: Grafana's id of the type.
        options: The panel's options.
        custom: `fieldConfig.defaults.custom`.
        common: What all panels have, as for `grafanalib.core.Panel`.
    """

    def __init__(self, panel_type: str, options: Json, custom: Json, **common: Any) -> None:
        super().__init__(**common)  # pyright: ignore[reportUnknownMemberType]
        self.panel_type, self.options, self.custom = panel_type, options, custom

    def to_json_data(self) -> Json:
        """Return the panel in the shape of `@grafana/schema`."""
        own = {"type": self.panel_type, "options": self.options, "fieldConfig": {"defaults": {"custom": self.custom}}}
        shown: Json = self.panel_json(own)
        return shown


def decoded(dashboard: Any) -> Json:
    """Convert a grafanalib dashboard to plain JSON values."""
    values: Json = json.loads(json.dumps(dashboard, default=lambda part: part.to_json_data()))
    return values


def targets_of(queries: Sequence[Query]) -> list[Target]:
    """Number queries with the references A, B, C and so on."""
    return [Target(query, ref) for query, ref in zip(queries, string.ascii_uppercase, strict=False)]


def thresholds_of(steps: Sequence[Step]) -> Json:
    """Make Grafana's thresholds of steps."""
    return {"mode": "absolute", "steps": [{"color": step.colour, "value": step.value} for step in steps]}


def defaults_of(
    unit: str,
    *,
    steps: Sequence[Step] = (),
    colour: str | None = None,
    empty: str | None = None,
    low: float | None = None,
    high: float | None = None,
    decimals: int | None = None,
    links: Sequence[Json] = (),
    mappings: Sequence[Json] = (),
) -> Json:
    """Make `fieldConfig.defaults`, which all types of panels have."""
    return {
        "unit": unit,
        "min": low,
        "max": high,
        "decimals": decimals,
        "noValue": empty,
        "links": list(links) or None,
        "mappings": list(mappings),
        "thresholds": thresholds_of(steps or (Step(GOOD),)),
        "color": {"mode": colour} if colour else None,
    }


def drill_down(title: str, dashboard: str, **chosen: str) -> Json:
    """Make a link to another dashboard that keeps the time range and the variables.

    Args:
        title: Text of the link.
        dashboard: Uid of the other dashboard.
        chosen: Label by variable. The variable is set to the label's value of the clicked series.
    """
    kept = [f"${{{name}:queryparam}}" for name in _KEPT if name not in chosen]
    labels = {name: f'["{label}"]' if "." in label else f".{label}" for name, label in chosen.items()}
    given = [f"var-{name}=${{__field.labels{label}}}" for name, label in labels.items()]
    url = f"/d/{dashboard}?" + "&".join(["${__url_time_range}", *kept, *given])
    link: Json = core.DataLink(title=title, linkUrl=url).to_json_data()
    return link


def below(value: float, text: str) -> Json:
    """Make a mapping that shows a text for every value from 0 to `value`."""
    return {"type": "range", "options": {"from": 0, "to": value, "result": {"index": 0, "text": text}}}


def fixed_colours(colours: Mapping[str, str]) -> list[Json]:
    """Make overrides that set the colour of series by their names."""
    return [
        override(name, {"id": "color", "value": {"mode": "fixed", "fixedColor": colour}})
        for name, colour in colours.items()
    ]


def override(name: str, *properties: Json) -> Json:
    """Make an override of properties of the series or column with a name."""
    return {"matcher": {"id": "byName", "options": name}, "properties": list(properties)}
