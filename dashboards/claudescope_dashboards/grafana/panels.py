"""Panels, made with grafanalib: each with a title, a unit, and a description that says what to do when it is red."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from claudescope_dashboards.grafana.grafanalib_ext import (
    DATASOURCE,
    LAST,
    Column,
    Json,
    Panel,
    Query,
    SchemaPanel,
    Step,
    core,
    defaults_of,
    drill_down,
    fixed_colours,
    override,
    targets_of,
)

__all__ = [
    "Column",
    "Panel",
    "Query",
    "Step",
    "bar_gauge",
    "drill_down",
    "fixed_colours",
    "heatmap",
    "stat",
    "state_timeline",
    "table",
    "time_series",
]

_SMALLEST: Final = {"percentunit": 0.05, "cpm": 1}
"""What an axis shows at least, by unit: a plot of zeros is not blown up."""

_SCALES: Final = {
    "linear": {"type": "linear"},
    "log": {"type": "log", "log": 2},
    "symlog": {"type": "symlog", "log": 10, "linearThreshold": 1},
}


def stat(
    title: str,
    *queries: Query,
    description: str,
    unit: str,
    steps: Sequence[Step] = (),
    calc: str = LAST,
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
        targets=targets_of(queries),
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
                "defaults": defaults_of(
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
        targets=targets_of(queries),
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
                    **defaults_of(
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
    defaults = defaults_of("short", links=links)
    return SchemaPanel(
        "heatmap",
        title=title,
        description=description,
        dataSource=DATASOURCE,
        targets=targets_of([query]),
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
    return SchemaPanel(
        "bargauge",
        title=title,
        description=description,
        dataSource=DATASOURCE,
        targets=targets_of(queries),
        options={
            "displayMode": "basic",
            "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
            "maxVizHeight": 300,
            "minVizHeight": 10,
            "minVizWidth": 0,
            "namePlacement": "auto",
            "orientation": "horizontal",
            "reduceOptions": {"calcs": [LAST], "fields": "", "values": False},
            "showUnfilled": True,
            "sizing": "auto",
            "valueMode": "color",
        },
        custom={},
        extraJson={
            "fieldConfig": {
                "defaults": defaults_of(
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
        targets=targets_of(queries),
        colorMode="thresholds",
        fillOpacity=70,
        rowHeight=0.8,
        showValue="never",
        tooltipMode="single",
        extraJson={
            "fieldConfig": {
                "defaults": defaults_of(
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
    references = [target.refId for target in targets_of(queries)]
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
        overrides.append(override(column.title, *properties))
    for name, targets in (links or {}).items():
        overrides.append(override(name, {"id": "links", "value": list(targets)}))
    for name, shown in (texts or {}).items():
        mapping = {"type": "value", "options": {key: {"text": text} for key, text in shown.items()}}
        wrapped = {"id": "custom.cellOptions", "value": {"type": "auto", "wrapText": True}}
        overrides.append(override(name, {"id": "mappings", "value": [mapping]}, wrapped))
    overrides += [override(name, {"id": "custom.width", "value": width}) for name, width in (widths or {}).items()]
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
        targets=targets_of(queries),
        overrides=overrides,
        transformations=[
            *([] if single else [{"id": "merge", "options": {}}]),
            {"id": "organize", "options": organise},
        ],
        extraJson={
            "fieldConfig": {
                "defaults": {
                    **defaults_of("short", colour="thresholds", empty=empty),
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
