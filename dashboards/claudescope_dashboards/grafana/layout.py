"""What makes panels a board: variables, links to the other boards, annotations, and where each panel stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from claudescope.schema.catalogue import DURATION, REQUEST_MODEL, WORKFLOW
from claudescope.schema.dashboard_uid import DashboardName, dashboard_uid
from claudescope_dashboards.grafana.grafanalib_ext import DATASOURCE, Panel, core, decoded
from claudescope_dashboards.grafana.normalise import normalise
from claudescope_dashboards.grafana.palette import BAD, WARNING
from claudescope_dashboards.queries import Queries

__all__ = ["SCHEMA_VERSION", "TAG", "TITLES", "Row", "dashboard", "uid"]

SCHEMA_VERSION: Final = 41
"""Of the dashboard's JSON: Grafana 12's. Older Grafanas read it, newer ones migrate it by themselves."""

TAG: Final = "claudescope"
"""The tag by which the boards find each other."""


TITLES: Final[dict[DashboardName, str]] = {
    "overview": "Overview",
    "errors": "Errors & retries",
    "latency": "Latency",
    "cost": "Tokens & cost",
    "limits": "Rate limits",
    "slo": "SLO & error budget",
    "fleet": "Fleet",
}
"""The boards, in the order in which they are documented."""

_COLUMNS: Final = 24


@dataclass(frozen=True, slots=True)
class Row:
    """Panels beside one another.

    Attributes:
        height: In Grafana's units, of 30 pixels and a gap of 8.
        panels: From left to right.
        widths: Their widths, 24 in all; without it they share alike.
        title: Heading of a row that starts here.
    """

    height: int
    panels: Sequence[Panel]
    widths: Sequence[int] = ()
    title: str = ""


def uid(name: DashboardName, queries: Queries) -> str:
    """The board's stable identity, by which alerts link to it."""
    return dashboard_uid(name, queries.spec.service.name)


def dashboard(
    name: DashboardName, queries: Queries, bands: Sequence[Row], *, description: str, time_from: str = "now-6h"
) -> dict[str, Any]:
    """A whole dashboard, as Grafana saves it.

    Args:
        name: Which of the boards.
        queries: Writes the queries of variables and annotations.
        bands: Its panels.
        description: What question it answers.
        time_from: Start of the time range that it opens with.
    """
    service = queries.spec.service.name
    title = "Claude" if service == "claude" else f"Claude · {service}"
    dashboard = core.Dashboard(
        title=f"{title} · {TITLES[name]}",
        description=description,
        uid=uid(name, queries),
        tags=[TAG],
        schemaVersion=SCHEMA_VERSION,
        editable=True,
        graphTooltip=core.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
        timezone="browser",
        refresh="1m",
        time=core.Time(time_from, "now"),
        templating=core.Templating(list=_variables(queries)),
        annotations=core.Annotations(list=_annotations(queries)),
        links=[_links()],
        panels=_placed(bands),
    )
    return normalise({**decoded(dashboard), "timepicker": {}, "version": 1, "fiscalYearStartMonth": 0})


def _placed(bands: Sequence[Row]) -> list[Panel]:
    panels: list[Panel] = []
    top = 0
    for band in bands:
        if band.title:
            panels.append(core.RowPanel(title=band.title, gridPos=core.GridPos(h=1, w=_COLUMNS, x=0, y=top)))
            top += 1
        widths = band.widths or [_COLUMNS // len(band.panels)] * len(band.panels)
        if len(widths) != len(band.panels) or sum(widths) > _COLUMNS:
            raise ValueError(f"{band.title}: {len(band.panels)} panels do not fit widths {list(widths)}")
        left = 0
        for panel, width in zip(band.panels, widths, strict=True):
            panel.gridPos = core.GridPos(h=band.height, w=width, x=left, y=top)
            panels.append(panel)
            left += width
        top += band.height
    for number, panel in enumerate(panels, 1):
        panel.id = number
    return panels


def _variables(queries: Queries) -> list[Any]:
    calls = queries.metric(DURATION, "count")
    pairs = [f'{name}="{value}"' for name, value in queries.spec.service.labels.items()]

    def choice(name: str, label: str, title: str, within: Sequence[str]) -> Any:
        conditions = ", ".join([*pairs, *(f'{outer}=~"${outer}"' for outer in within)])
        selector = queries.narrowed(calls, conditions)
        asked, regex = f"label_values({selector}, {label})", ""
        if "." in label:  # which label_values does not take
            asked, regex = (
                f"query_result(count by {queries.by(label)} ({selector}))",
                f'/{re.escape(label)}"?="([^"]+)"/',
            )
        query = {"query": asked, "refId": f"claudescope-{name}", "qryType": 3 if regex else 1}
        variable = core.Template(
            name=name,
            label=title,
            query=query,
            dataSource=DATASOURCE,
            includeAll=True,
            # Everything, also what has no such label: calls outside of any workflow.
            allValue=".*",
            multi=True,
            refresh=core.REFRESH_ON_TIME_RANGE_CHANGE,
            regex=regex,
            sort=1,
        )
        variable._current = {"selected": True, "text": ["All"], "value": ["$__all"]}  # noqa: SLF001 # grafanalib's
        return variable

    source = core.Template(name="datasource", label="Data source", query="prometheus", type="datasource", regex="")
    source._current = {"text": "", "value": ""}  # noqa: SLF001 # grafanalib's
    return [
        source,
        choice("job", "job", "Job", ()),
        choice("instance", "instance", "Instance", ("job",)),
        choice("model", queries.label(REQUEST_MODEL), "Model", ("job", "instance")),
        choice("workflow", queries.label(WORKFLOW), "Workflow", ("job", "instance")),
    ]


def _annotations(queries: Queries) -> list[dict[str, Any]]:
    return [
        {
            "builtIn": 1,
            "datasource": {"type": "grafana", "uid": "-- Grafana --"},
            "enable": True,
            "hide": True,
            "iconColor": "rgba(0, 211, 255, 1)",
            "name": "Annotations & Alerts",
            "type": "dashboard",
        },
        _firing(queries, "Pages", "page", BAD, enable=True),
        # A ticket may be open for days, and would lay its colour over every plot.
        _firing(queries, "Tickets", "ticket", WARNING, enable=False),
    ]


def _firing(queries: Queries, name: str, severity: str, colour: str, *, enable: bool) -> dict[str, Any]:
    """Marks when alerts of a severity fire."""
    return {
        "datasource": DATASOURCE,
        "enable": enable,
        "expr": f"sum by (alertname, severity, slo, error_type) ({queries.alerts(severity=severity)})",
        "iconColor": colour,
        "name": name,
        "tagKeys": "severity,slo,error_type",
        "textFormat": "{{slo}} {{error_type}}",
        "titleFormat": "{{alertname}}",
    }


def _links() -> Any:
    return core.DashboardLink(
        title="Claude boards", type="dashboards", tags=[TAG], asDropdown=True, includeVars=True, keepTime=True
    )
