"""What panels are made of. With `panels.py` and `board.py` it is all that knows grafanalib.

grafanalib is from before Grafana's present panels in places. What it lacks is subclassed here, in the shape that
`@grafana/schema` gives: Prometheus targets with exemplars, panels of a newer shape. What it prints too much of is taken
out by `normalise`.
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
    "core",
    "decoded",
    "defaults_of",
    "drill_down",
    "fixed_colours",
    "override",
    "targets_of",
]

core: Any = grafanalib.core
Json = dict[str, Any]
Panel = Any
"""A grafanalib panel."""

DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
"""The data source that the reader chose."""

_KEPT: Final = ("datasource", "job", "instance", "model", "workflow")
LAST: Final = "lastNotNull"


@dataclass(frozen=True, slots=True)
class Query:
    """What a panel asks.

    Attributes:
        expr: PromQL.
        legend: Name of its series; `{{label}}` stands for a label's value.
        instant: One value for the whole time range, rather than one for each point in time.
        exemplars: Whether to show the traces that belong to it.
        format: How the answer is shaped.
    """

    expr: str
    legend: str = ""
    instant: bool = False
    exemplars: bool = False
    format: Literal["time_series", "table", "heatmap"] = "time_series"


@dataclass(frozen=True, slots=True)
class Step:
    """From which value on a colour holds."""

    colour: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        query: Its numbers, asked for by the labels of the table.
        title: Heading; a column without one is not shown.
        unit: Grafana's id of the unit.
        steps: Thresholds that colour it.
    """

    query: str
    title: str
    unit: str
    steps: tuple[Step, ...] = ()


class Target(core.Target):
    """A query of a Prometheus data source, as its editor saves it."""

    def __init__(self, query: Query, ref: str) -> None:
        super().__init__(expr=query.expr, refId=ref)  # pyright: ignore[reportUnknownMemberType]
        self.query = query

    def to_json_data(self) -> Json:
        """The keys that the data source reads."""
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
    """A panel whose type grafanalib knows only in an old shape, or not at all."""

    def __init__(self, kind: str, options: Json, custom: Json, **common: Any) -> None:
        super().__init__(**common)  # pyright: ignore[reportUnknownMemberType]
        self.kind, self.options, self.custom = kind, options, custom

    def to_json_data(self) -> Json:
        """The panel in the shape of `@grafana/schema`."""
        own = {"type": self.kind, "options": self.options, "fieldConfig": {"defaults": {"custom": self.custom}}}
        shown: Json = self.panel_json(own)
        return shown


def decoded(dashboard: Any) -> Json:
    """The JSON of a grafanalib dashboard, as plain values."""
    values: Json = json.loads(json.dumps(dashboard, default=lambda part: part.to_json_data()))
    return values


def targets_of(queries: Sequence[Query]) -> list[Target]:
    """Queries with their references: A, B, C."""
    return [Target(query, ref) for query, ref in zip(queries, string.ascii_uppercase, strict=False)]


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
    """`fieldConfig.defaults`, which all panels share."""
    marks = [{"color": step.colour, "value": step.value} for step in steps or (Step(GOOD),)]
    return {
        "unit": unit,
        "min": low,
        "max": high,
        "decimals": decimals,
        "noValue": empty,
        "links": list(links) or None,
        "mappings": list(mappings),
        "thresholds": {"mode": "absolute", "steps": marks},
        "color": {"mode": colour} if colour else None,
    }


def drill_down(title: str, dashboard: str, **chosen: str) -> Json:
    """A link to another board that keeps the time and the variables.

    Args:
        title: What it says.
        dashboard: Uid of the board.
        chosen: Variables that take the value of a label of what was clicked on.
    """
    kept = [f"${{{name}:queryparam}}" for name in _KEPT if name not in chosen]
    labels = {name: f'["{label}"]' if "." in label else f".{label}" for name, label in chosen.items()}
    given = [f"var-{name}=${{__field.labels{label}}}" for name, label in labels.items()]
    url = f"/d/{dashboard}?" + "&".join(["${__url_time_range}", *kept, *given])
    link: Json = core.DataLink(title=title, linkUrl=url).to_json_data()
    return link


def fixed_colours(colours: Mapping[str, str]) -> list[Json]:
    """Overrides that give series a colour by their name."""
    return [
        override(name, {"id": "color", "value": {"mode": "fixed", "fixedColor": colour}})
        for name, colour in colours.items()
    ]


def override(name: str, *properties: Json) -> Json:
    """Properties of one series or column, by its name."""
    return {"matcher": {"id": "byName", "options": name}, "properties": list(properties)}
