"""Assembles dashboards: rows of panels, variables, annotations and links to the other dashboards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from claudescope.schema.catalogue import CALLS, REQUEST_MODEL, WORKFLOW
from claudescope.schema.dashboard_uid import DashboardName, dashboard_uid
from claudescope_alerts.promql.selectors import label_selector
from claudescope_alerts.spec.model import Histograms
from claudescope_dashboards.accuracy import accuracy
from claudescope_dashboards.grafana.grafanalib_ext import DATASOURCE, Panel, core, decoded
from claudescope_dashboards.grafana.normalise import normalise
from claudescope_dashboards.grafana.palette import BAD, NEUTRAL, WARNING
from claudescope_dashboards.queries import Queries, escaped, literal
from claudescope_dashboards.recurring import SERVICE_VERSION, deploys

__all__ = ["SCHEMA_VERSION", "TAG", "TITLES", "Row", "dashboard", "uid"]

SCHEMA_VERSION: Final = 41
"""Version of the dashboard JSON: that of Grafana 12. Older versions read it, newer ones migrate it."""

TAG: Final = "claudescope"
"""Tag of every generated dashboard; the dashboard menu and `push` find them by it."""

TITLES: Final[dict[DashboardName, str]] = {
    "overview": "Overview",
    "errors": "Errors & retries",
    "latency": "Latency",
    "cost": "Tokens & cost",
    "limits": "Rate limits",
    "slo": "SLO & error budget",
    "fleet": "Fleet",
}
"""Title by name, in the order of the documentation."""

_COLUMNS: Final = 24


@dataclass(frozen=True, slots=True)
class Row:
    """A row of panels.

    Attributes:
        height: In grid units of Grafana: 30 pixels and a gap of 8.
        panels: Panels from left to right.
        widths: Width of each panel in columns, 24 in all. By default all have the same width.
        title: Heading above the panels; none by default.
    """

    height: int
    panels: Sequence[Panel]
    widths: Sequence[int] = ()
    title: str = ""


def uid(name: DashboardName, queries: Queries) -> str:
    """Return the stable uid of a dashboard. Alerts link to it."""
    return dashboard_uid(name, queries.spec.service.name)


def dashboard(
    name: DashboardName, queries: Queries, rows: Sequence[Row], *, description: str, time_from: str = "now-6h"
) -> dict[str, Any]:
    """Build a dashboard in the form that Grafana saves.

    Args:
        name: Name of the dashboard.
        queries: Builds the queries of variables and annotations.
        rows: The rows of panels, from top to bottom.
        description: What the dashboard shows.
        time_from: Start of the default time range.
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
        panels=_placed(rows, queries.spec.histograms),
    )
    return normalise({**decoded(dashboard), "timepicker": {}, "version": 1, "fiscalYearStartMonth": 0})


def _placed(rows: Sequence[Row], histograms: Histograms) -> list[Panel]:
    panels: list[Panel] = []
    top = 0
    for row in rows:
        if row.title:
            panels.append(core.RowPanel(title=row.title, gridPos=core.GridPos(h=1, w=_COLUMNS, x=0, y=top)))
            top += 1
        widths = row.widths or [_COLUMNS // len(row.panels)] * len(row.panels)
        if len(widths) != len(row.panels) or sum(widths) > _COLUMNS:
            raise ValueError(f"{row.title}: {len(row.panels)} panels do not fit widths {list(widths)}")
        left = 0
        for panel, width in zip(row.panels, widths, strict=True):
            if limits := accuracy([target.expr for target in panel.targets], histograms):
                panel.description = f"{panel.description} {limits}"
            panel.gridPos = core.GridPos(h=row.height, w=width, x=left, y=top)
            panels.append(panel)
            left += width
        top += row.height
    for number, panel in enumerate(panels, 1):
        panel.id = number
    return panels


def _variables(queries: Queries) -> list[Any]:
    calls = queries.metric(CALLS)
    # Without what the user selects: each variable narrows those after it.
    own = label_selector({name: literal(value) for name, value in queries.spec.service.labels.items()})
    pairs = [escaped(own[1:-1])] if queries.spec.service.labels else []
    extra = queries.spec.service.deployment_labels

    def choice(name: str, label: str, title: str, within: Sequence[str]) -> Any:
        conditions = ", ".join([*pairs, *(f'{outer}=~"${outer}"' for outer in within)])
        selector = queries.narrowed(calls, conditions)
        query_text, regex = f"label_values({selector}, {label})", ""
        if "." in label:  # label_values takes no label with a dot
            query_text, regex = (
                f"query_result(count by {queries.by(label)} ({selector}))",
                f'/{re.escape(label)}"?="([^"]+)"/',
            )
        query = {"query": query_text, "refId": f"claudescope-{name}", "qryType": 3 if regex else 1}
        variable = core.Template(
            name=name,
            label=title,
            query=query,
            dataSource=DATASOURCE,
            includeAll=True,
            # Also matches series without the label, such as calls outside of a workflow.
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
        *(choice(name, name, name.replace("_", " ").capitalize(), extra[:number]) for number, name in enumerate(extra)),
        choice("job", "job", "Job", extra),
        choice("instance", "instance", "Instance", (*extra, "job")),
        choice("model", queries.label(REQUEST_MODEL), "Model", (*extra, "job", "instance")),
        choice("workflow", queries.label(WORKFLOW), "Workflow", (*extra, "job", "instance")),
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
        _firing(queries, "Firing pages", "page", BAD, enable=True),
        # Off by default: a ticket may fire for days and would cover every graph.
        _firing(queries, "Firing tickets", "ticket", WARNING, enable=False),
        {
            "datasource": DATASOURCE,
            "enable": True,
            "expr": deploys(queries),
            "iconColor": NEUTRAL,
            "name": "Deploys and restarts",
            "tagKeys": "job",
            "textFormat": queries.legend(SERVICE_VERSION),
            "titleFormat": "{{job}} started",
        },
    ]


def _firing(queries: Queries, name: str, severity: str, colour: str, *, enable: bool) -> dict[str, Any]:
    """Make an annotation for the times when alerts of a severity fire."""
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
        title="Claude dashboards", type="dashboards", tags=[TAG], asDropdown=True, includeVars=True, keepTime=True
    )
