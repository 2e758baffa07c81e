"""Panels, made with grafanalib. With `board.py` it is the only module that knows grafanalib.

grafanalib is from before Grafana's present panels in places. What it lacks is subclassed here, in the shape that
`@grafana/schema` gives: Prometheus targets with exemplars, the heatmap, the bar gauge. What it prints too much of is
taken out by `normalise`.
"""

from __future__ import annotations

import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import grafanalib.core  # pyright: ignore[reportMissingTypeStubs] # it has none

from claudescope_dashboards.colours import GOOD

__all__ = [
    "DATASOURCE",
    "Column",
    "Panel",
    "Query",
    "Step",
    "bar_gauge",
    "core",
    "decoded",
    "drill_down",
    "fixed_colours",
    "heatmap",
    "stat",
    "state_timeline",
    "table",
    "time_series",
]

core: Any = grafanalib.core
Json = dict[str, Any]
Panel = Any
"""A grafanalib panel."""

DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
"""The data source that the reader chose."""

_KEPT: Final = ("datasource", "job", "instance", "model", "workflow")
_LAST: Final = "lastNotNull"
_SMALLEST: Final = {"percentunit": 0.05, "cpm": 1}
"""What an axis shows at least, by unit: a plot of zeros is not blown up."""

_SCALES: Final = {
    "linear": {"type": "linear"},
    "log": {"type": "log", "log": 2},
    "symlog": {"type": "symlog", "log": 10, "linearThreshold": 1},
}


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


class _Target(core.Target):
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


class _Modern(core.Panel):
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


def _targets(queries: Sequence[Query]) -> list[_Target]:
    return [_Target(query, ref) for query, ref in zip(queries, string.ascii_uppercase, strict=False)]


def _defaults(
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


def drill_down(title: str, board: str, **chosen: str) -> Json:
    """A link to another board that keeps the time and the variables.

    Args:
        title: What it says.
        board: Uid of the board.
        chosen: Variables that take the value of a label of what was clicked on.
    """
    kept = [f"${{{name}:queryparam}}" for name in _KEPT if name not in chosen]
    labels = {name: f'["{label}"]' if "." in label else f".{label}" for name, label in chosen.items()}
    given = [f"var-{name}=${{__field.labels{label}}}" for name, label in labels.items()]
    url = f"/d/{board}?" + "&".join(["${__url_time_range}", *kept, *given])
    link: Json = core.DataLink(title=title, linkUrl=url).to_json_data()
    return link


def fixed_colours(colours: Mapping[str, str]) -> list[Json]:
    """Overrides that give series a colour by their name."""
    return [
        _override(name, {"id": "color", "value": {"mode": "fixed", "fixedColor": colour}})
        for name, colour in colours.items()
    ]


def _override(name: str, *properties: Json) -> Json:
    return {"matcher": {"id": "byName", "options": name}, "properties": list(properties)}


def stat(
    title: str,
    *queries: Query,
    description: str,
    unit: str,
    steps: Sequence[Step] = (),
    calc: str = _LAST,
    graph: bool = True,
    named: bool = False,
    decimals: int | None = None,
    links: Sequence[Json] = (),
    overrides: Sequence[Json] = (),
    empty: str | None = None,
) -> Panel:
    """One number, coloured by its thresholds."""
    return core.Stat(
        title=title,
        description=description,
        dataSource=DATASOURCE,
        targets=_targets(queries),
        colorMode="value",
        graphMode="area" if graph else "none",
        reduceCalc=calc,
        textMode="value_and_name" if named or len(queries) > 1 else "auto",
        orientation="auto" if len(queries) == 1 else "horizontal",
        format=unit,
        overrides=list(overrides),
        noValue=empty,
        extraJson={
            "fieldConfig": {
                "defaults": _defaults(
                    unit, steps=steps, colour="thresholds", decimals=decimals, links=links, empty=empty
                )
            },
            "options": {
                "text": {"titleSize": 14, "valueSize": 26} if len(queries) > 1 else None,
                "wideLayout": True,
                "showPercentChange": False,
                "percentChangeColorMode": "standard",
            },
        },
    )


def time_series(
    title: str,
    *queries: Query,
    description: str,
    unit: str,
    steps: Sequence[Step] = (),
    stacked: bool = False,
    colours: Mapping[str, str] | None = None,
    overrides: Sequence[Json] = (),
    links: Sequence[Json] = (),
    low: float | None = 0,
    high: float | None = None,
    scale: Literal["linear", "log", "symlog"] = "linear",
    legend: Literal["bottom", "right"] = "bottom",
    calcs: Sequence[str] = (),
    empty: str | None = None,
    decimals: int | None = None,
) -> Panel:
    """Lines over time, or areas on top of each other. Thresholds are dashed lines."""
    return core.TimeSeries(
        title=title,
        description=description,
        dataSource=DATASOURCE,
        targets=_targets(queries),
        fillOpacity=35 if stacked else 0,
        lineWidth=1,
        showPoints="never",
        stacking={"mode": "normal" if stacked else "none", "group": "A"},
        thresholdsStyleMode="dashed" if steps else "off",
        legendDisplayMode="table" if calcs else "list",
        legendPlacement=legend,
        tooltipMode="multi",
        tooltipSort="desc",
        unit=unit,
        overrides=[*fixed_colours(colours or {}), *overrides],
        extraJson={
            "fieldConfig": {
                "defaults": {
                    **_defaults(
                        unit,
                        steps=steps,
                        colour="palette-classic",
                        links=links,
                        low=low,
                        high=high,
                        empty=empty,
                        decimals=decimals,
                    ),
                    "custom": {
                        "scaleDistribution": _SCALES[scale],
                        # Lines of what is seldom called go on over short gaps, and plots of zeros stay small.
                        "spanNulls": 15 * 60 * 1000,
                        "axisSoftMax": _SMALLEST.get(unit) if high is None else None,
                        "insertNulls": False,
                        "axisColorMode": "text",
                        "axisBorderShow": False,
                        "axisCenteredZero": False,
                    },
                }
            },
            "options": {"legend": {"showLegend": True, "calcs": list(calcs)}, "tooltip": {"hideZeros": stacked}},
        },
    )


def heatmap(title: str, query: Query, *, description: str, unit: str, links: Sequence[Json] = ()) -> Panel:
    """How the buckets of a histogram fill over time, with exemplars as points that lead to traces."""
    defaults = _defaults("short", links=links)
    return _Modern(
        "heatmap",
        title=title,
        description=description,
        dataSource=DATASOURCE,
        targets=_targets([query]),
        options={
            "calculate": False,
            "cellGap": 1,
            "cellValues": {"unit": "short"},
            "color": {
                "mode": "scheme",
                "scheme": "Oranges",
                "fill": "dark-orange",
                "scale": "exponential",
                "exponent": 0.5,
                "steps": 64,
                "reverse": False,
            },
            "exemplars": {"color": "rgba(255,0,255,0.7)"},
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "rowsFrame": {"layout": "auto", "value": "calls"},
            "showValue": "never",
            "tooltip": {"mode": "single", "showColorScale": True, "yHistogram": True},
            "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
        },
        custom={"hideFrom": {"legend": False, "tooltip": False, "viz": False}, "scaleDistribution": {"type": "linear"}},
        extraJson={"fieldConfig": {"defaults": defaults, "overrides": []}},
    )


def bar_gauge(
    title: str,
    *queries: Query,
    description: str,
    unit: str,
    steps: Sequence[Step],
    low: float = 0,
    high: float | None = None,
    links: Sequence[Json] = (),
    overrides: Sequence[Json] = (),
    empty: str | None = None,
) -> Panel:
    """One bar for each series, coloured by its thresholds."""
    return _Modern(
        "bargauge",
        title=title,
        description=description,
        dataSource=DATASOURCE,
        targets=_targets(queries),
        options={
            "displayMode": "basic",
            "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
            "maxVizHeight": 300,
            "minVizHeight": 10,
            "minVizWidth": 0,
            "namePlacement": "auto",
            "orientation": "horizontal",
            "reduceOptions": {"calcs": [_LAST], "fields": "", "values": False},
            "showUnfilled": True,
            "sizing": "auto",
            "valueMode": "color",
        },
        custom={},
        extraJson={
            "fieldConfig": {
                "defaults": _defaults(
                    unit, steps=steps, colour="thresholds", low=low, high=high, links=links, empty=empty
                ),
                "overrides": list(overrides),
            }
        },
    )


def state_timeline(
    title: str,
    *queries: Query,
    description: str,
    states: Sequence[tuple[str, str]],
    links: Sequence[Json] = (),
    empty: str | None = None,
) -> Panel:
    """What state something was in, over time.

    Args:
        title: Heading.
        queries: Numbers from 0, one row for each series.
        description: What it tells, and what to do.
        states: Name and colour of each number.
        links: Where a click leads.
        empty: What it says without data.
    """
    values = {
        str(number): {"index": number, "text": text, "color": colour} for number, (text, colour) in enumerate(states)
    }
    return core.StateTimeline(
        title=title,
        description=description,
        dataSource=DATASOURCE,
        targets=_targets(queries),
        colorMode="thresholds",
        fillOpacity=70,
        rowHeight=0.8,
        showValue="never",
        tooltipMode="single",
        extraJson={
            "fieldConfig": {
                "defaults": _defaults(
                    "none",
                    colour="thresholds",
                    mappings=[{"type": "value", "options": values}],
                    links=links,
                    empty=empty,
                )
            },
            "options": {"legend": {"showLegend": True, "calcs": []}, "tooltip": {"sort": "none"}},
        },
    )


def table(
    title: str,
    *columns: Column,
    labels: Mapping[str, str],
    description: str,
    sort: str,
    links: Mapping[str, Sequence[Json]] | None = None,
    texts: Mapping[str, Mapping[str, str]] | None = None,
    widths: Mapping[str, int] | None = None,
    empty: str | None = None,
) -> Panel:
    """Labels and numbers over the whole time range, one row for each combination of labels.

    Args:
        title: Heading.
        columns: Its numbers.
        labels: Heading by name of the label; the first columns.
        description: What it tells, and what to do.
        sort: Heading of the column that sorts it, largest first.
        links: Where a click on a column leads, by its heading.
        texts: What is shown for values, by heading of a column; it may take several lines.
        widths: Widths in pixels, by heading; the others share what is left.
        empty: What it says without data.
    """
    queries = [Query(column.query, instant=True, format="table") for column in columns]
    references = [target.refId for target in _targets(queries)]
    single = len(columns) == 1
    values = ["Value"] if single else [f"Value #{ref}" for ref in references]
    names = {**labels, **{value: column.title for value, column in zip(values, columns, strict=True)}}
    overrides: list[Json] = []
    for column in columns:
        properties: list[Json] = [{"id": "unit", "value": column.unit}]
        if column.steps:
            marks = [{"color": step.colour, "value": step.value} for step in column.steps]
            properties += [
                {"id": "thresholds", "value": {"mode": "absolute", "steps": marks}},
                {"id": "custom.cellOptions", "value": {"type": "color-text"}},
            ]
        overrides.append(_override(column.title, *properties))
    for name, targets in (links or {}).items():
        overrides.append(_override(name, {"id": "links", "value": list(targets)}))
    for name, shown in (texts or {}).items():
        mapping = {"type": "value", "options": {key: {"text": text} for key, text in shown.items()}}
        wrapped = {"id": "custom.cellOptions", "value": {"type": "auto", "wrapText": True}}
        overrides.append(_override(name, {"id": "mappings", "value": [mapping]}, wrapped))
    overrides += [_override(name, {"id": "custom.width", "value": width}) for name, width in (widths or {}).items()]
    hidden = {value: True for value, column in zip(values, columns, strict=True) if not column.title}
    order = {name: place for place, name in enumerate(names)}
    organise = {
        "excludeByName": {"Time": True} | hidden,
        "indexByName": order,
        "renameByName": names,
        "includeByName": {},
    }
    return core.Table(
        title=title,
        description=description,
        dataSource=DATASOURCE,
        targets=_targets(queries),
        overrides=overrides,
        transformations=[
            *([] if single else [{"id": "merge", "options": {}}]),
            {"id": "organize", "options": organise},
        ],
        extraJson={
            "fieldConfig": {
                "defaults": {
                    **_defaults("short", colour="thresholds", empty=empty),
                    "custom": {"cellOptions": {"type": "auto"}, "inspect": False, "minWidth": 60},
                }
            },
            "options": {
                "cellHeight": "sm",
                "frameIndex": 0,
                "showTypeIcons": False,
                "sortBy": [{"desc": True, "displayName": sort}],
                "showHeader": True,
            },
        },
    )
