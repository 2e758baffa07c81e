"""The judge of boards: the catalogue's names alone, and the rules of Grafana's dashboard-linter
(https://github.com/grafana/dashboard-linter/tree/main/docs), with what else a reader on call needs.
"""  # noqa: D205

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import promql_parser

from claudescope_alerts.promql.known_series import KnownSeries
from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.rules.model import Group
from claudescope_alerts.spec.model import Spec
from claudescope_dashboards.interpolation import Resolver
from claudescope_dashboards.queries import NO_LABEL

__all__ = ["lint", "panels_of", "queries_of"]

_VARIABLES: Final = ("datasource", "job", "instance", "model", "workflow")
_ALERTS: Final = "ALERTS"
_ALERT_LABELS: Final = {"alertname", "alertstate", "error_type", "owner", "severity", "tier"}
_SCRAPED: Final = {"job", "instance"}
_SHORTEST: Final = 300
"""Seconds. A window that is written out, and not Grafana's, is one of the spec's: none is shorter."""

_RANGE: Final = re.compile(r"\[(?P<window>\$\w+|\d+[smhd])(:[^\]]*)?\]")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_COUNTERS: Final = ("_total", "_count", "_sum", "_bucket")
_WHAT_TO_DO: Final = {"stat": "Red", "bargauge": "Red", "state-timeline": "Red"}


def panels_of(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The panels of a board, rows left out."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries_of(dashboard: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every query of a board with where it stands: of panels and of annotations."""
    found = [
        (f"{panel.get('title')}: {target['refId']}", target["expr"])
        for panel in panels_of(dashboard)
        for target in panel["targets"]
    ]
    found += [
        (annotation["name"], annotation["expr"])
        for annotation in dashboard["annotations"]["list"]
        if "expr" in annotation
    ]
    return found


def lint(dashboards: Mapping[str, Mapping[str, Any]], groups: Sequence[Group], spec: Spec) -> list[str]:
    """Every mistake in the boards, as a sentence that names the board and the panel.

    Args:
        dashboards: Dashboards by name.
        groups: The rules of the spec: what they record may be asked for.
        spec: What both are made from.
    """
    recorded = {rule.name for group in groups for rule in group.recordings}
    known_series = KnownSeries(SelectorBuilder(spec), recorded | {_ALERTS}, _ALERT_LABELS | _SCRAPED | {NO_LABEL})
    uids = {dashboard["uid"] for dashboard in dashboards.values()}
    mistakes: list[str] = []
    for name, dashboard in dashboards.items():
        mistakes += [f"{name}: {problem}" for problem in _dashboard(dashboard, uids)]
        for panel in panels_of(dashboard):
            mistakes += [f"{name}: {panel.get('title')}: {problem}" for problem in _panel(panel)]
        for place, expr in queries_of(dashboard):
            mistakes += [f"{name}: {place}: {problem}" for problem in _query(expr, known_series, recorded)]
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                mistakes += [f"{name}: ${variable['name']}: {problem}" for problem in _choice(variable, known_series)]
    return mistakes


def _dashboard(dashboard: Mapping[str, Any], uids: set[str]) -> Iterator[str]:
    names = [variable["name"] for variable in dashboard["templating"]["list"]]
    for name in _VARIABLES:
        if name not in names:
            yield f"has no variable {name!r}"
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query" and not (
            variable["includeAll"] and variable["multi"] and variable["refresh"] == 2
        ):
            yield f"${variable['name']} has no All, takes one value, or is not asked for anew with the time"
    if len(dashboard["uid"]) > 40:
        yield f"its uid {dashboard['uid']!r} is longer than 40"
    for number in {panel["id"] for panel in dashboard["panels"]}:
        if [panel["id"] for panel in dashboard["panels"]].count(number) > 1:
            yield f"two panels have the id {number}"
    for link in re.findall(r"/d/([\w-]+)", str(dashboard["panels"])):
        if link not in uids:
            yield f"links to {link!r}, which is no board"
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        grid = panel["gridPos"]
        cells = {
            (x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])
        }
        if cells & taken or grid["x"] + grid["w"] > 24:
            yield f"{panel.get('title')} stands on another panel, or outside of the 24 columns"
        taken |= cells


def _panel(panel: Mapping[str, Any]) -> Iterator[str]:
    for key in ("title", "description"):
        if not panel.get(key):
            yield f"has no {key}"
    defaults = panel["fieldConfig"]["defaults"]
    if not defaults.get("unit"):
        yield "has no unit"
    if not panel["targets"]:
        yield "asks nothing"
    for part in (panel, *panel["targets"]):
        if part.get("datasource", {}).get("uid") != "${datasource}":
            yield "does not ask the data source that the reader chose"
    steps = defaults["thresholds"]["steps"]
    word = _WHAT_TO_DO.get(panel["type"])
    if word and any("red" in step["color"] for step in steps) and word not in panel.get("description", ""):
        yield "can be red, and its description does not say what to do then"


def _choice(variable: Mapping[str, Any], known_series: KnownSeries) -> Iterator[str]:
    query = variable["query"]["query"]
    values = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
    result = re.fullmatch(r"query_result\((.+)\)", query)
    if not values and not result:
        yield f"expected label_values(series, label) or query_result(query), got {query}"
        return
    expr = f"count by ({values[2]}) ({values[1]})" if values else result[1] if result else ""
    yield from known_series.problems(Resolver().resolve(expr))


def _query(expr: str, known_series: KnownSeries, recorded: set[str]) -> Iterator[str]:
    if unknown := set(re.findall(r"\$\{?([a-zA-Z]\w*)", expr)) - set(_VARIABLES) - Resolver.INTERVALS:
        yield f"has the variables {sorted(unknown)}, which the board has not"
        return
    for found in _RANGE.finditer(expr):
        window = found["window"]
        if not window.startswith("$") and int(window[:-1]) * _UNITS[window[-1]] < _SHORTEST:
            yield f"looks at {window}: expected $__rate_interval, or a window of the spec of 5m or more"
    resolved = Resolver().resolve(expr)
    problems = list(known_series.problems(resolved))
    yield from problems
    if not problems:
        yield from _selectors(resolved, recorded | {_ALERTS})


def _selectors(expr: str, recorded: set[str]) -> Iterator[str]:
    """Every selector of what apps emit is narrowed by job and instance, and no raw counter is shown."""
    found: list[promql_parser.VectorSelector] = []

    def visit(node: promql_parser.Expr) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    tree = promql_parser.parse(expr)
    promql_parser.walk(tree, visit)
    for selector in found:
        labels = {matcher.name for matcher in selector.matchers.matchers}
        if selector.name and selector.name not in recorded and not labels >= _SCRAPED:
            yield f"asks for {selector.name} without $job and $instance"
    for name in _shown(tree):
        if name.endswith(_COUNTERS) and name not in recorded:
            yield f"shows the counter {name} as it is: expected rate or increase of it"


def _shown(node: Any) -> Iterator[str]:
    """Names of the series whose values are used as they are: not over a window, nor for their age or their number."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node.name or ""
    elif isinstance(node, promql_parser.Call):
        for argument in () if node.func.name == "timestamp" else node.args:
            yield from _shown(argument)
    elif isinstance(node, promql_parser.AggregateExpr):
        yield from () if str(node.op) == "count" else _shown(node.expr)
    elif isinstance(node, promql_parser.BinaryExpr):
        yield from _shown(node.lhs)
        yield from _shown(node.rhs)
    elif isinstance(node, (promql_parser.ParenExpr, promql_parser.UnaryExpr, promql_parser.SubqueryExpr)):
        yield from _shown(node.expr)
