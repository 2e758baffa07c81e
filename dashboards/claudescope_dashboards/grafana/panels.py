"""Panels. Each has a title, a unit, and a description that says what to do when it is red."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from claudescope_dashboards.grafana.grafanalib_ext import (
    DATASOURCE,
    LAST,
    Json,
    Panel,
    Query,
    SchemaPanel,
    Step,
    below,
    core,
    defaults_of,
    drill_down,
    fixed_colours,
    targets_of,
)

__all__ = [
    "Panel",
    "Query",
    "Step",
    "bar_gauge",
    "below",
    "drill_down",
    "fixed_colours",
    "heatmap",
    "stat",
    "state_timeline",
    "time_series",
]

_SMALLEST_AXIS: Final = {"percentunit": 0.05, "cpm": 1}
"""Smallest maximum of an axis by unit, so that values near zero are not magnified."""

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
    named: bool = False,
    beside: bool = False,
    decimals: int | None = None,
    links: Sequence[Json] = (),
    overrides: Sequence[Json] = (),
    mappings: Sequence[Json] = (),
    empty: str | None = None,
) -> Panel:
    """Make a panel that shows one number for each query, coloured by thresholds.

    It has no graph behind the number, which would be hard to read on it.

    Args:
        title: Title of the panel.
        queries: The queries.
        description: What the panel shows, and what to do when it is red.
        unit: Grafana's id of the unit.
        steps: Thresholds that colour the number.
        calc: How the number is made of the values of the time range.
        named: Whether to show the name of the series. Several numbers always have theirs.
        beside: Whether several numbers are beside each other, not below each other.
        decimals: Digits after the point.
        links: Links of the number.
        overrides: Properties of single series.
        mappings: Texts to show for values.
        empty: Text that is shown without data.
    """
    return core.Stat(
        title=title,
        description=description,
        dataSource=DATASOURCE,
        targets=targets_of(queries),
        colorMode="value",
        graphMode="none",
        reduceCalc=calc,
        textMode="value_and_name" if named or len(queries) > 1 else "auto",
        orientation="auto" if len(queries) == 1 else "vertical" if beside else "horizontal",
        format=unit,
        overrides=list(overrides),
        noValue=empty,
        extraJson={
            "fieldConfig": {
                "defaults": defaults_of(
                    unit,
                    steps=steps,
                    colour="thresholds",
                    decimals=decimals,
                    links=links,
                    mappings=mappings,
                    empty=empty,
                )
            },
            "options": {
                "text": {"titleSize": 14, "valueSize": 26} if named or len(queries) > 1 else None,
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
    """Make a graph of lines or stacked areas. Thresholds are dashed lines."""
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
                        # A model or a workflow has the same colour in every panel.
                        colour="palette-classic-by-name",
                        links=links,
                        low=low,
                        high=high,
                        empty=empty,
                        decimals=decimals,
                    ),
                    "custom": {
                        "scaleDistribution": _SCALES[scale],
                        # Connects points over gaps of up to 15 minutes, which rare calls leave.
                        "spanNulls": 15 * 60 * 1000,
                        "axisSoftMax": _SMALLEST_AXIS.get(unit) if high is None else None,
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
    """Make a heatmap of histogram buckets over time. Exemplars are points that link to traces."""
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
    """Make a bar for each series, coloured by thresholds."""
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
    """Make a timeline of states.

    Args:
        title: Title of the panel.
        queries: Queries whose values are numbers of states; each series is one row.
        description: What the panel shows, and what to do when it is red.
        states: Name and colour of the states 0, 1 and so on.
        links: Links of each value.
        empty: Text that is shown without data.
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
