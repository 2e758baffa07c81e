"""Lint of the dashboards.

Checks that every name in a query exists, and applies the rules of Grafana's dashboard-linter
(https://github.com/grafana/dashboard-linter/tree/main/docs) and some that an on-call reader needs. Each rule is a
function below that yields one phrase for each problem.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import promql_parser

from claudescope_alerts.promql.known_series import KnownSeries
from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.rules.model import Group
from claudescope_alerts.spec.model import Spec
from claudescope_dashboards.interpolation import Resolver
from claudescope_dashboards.queries import NO_LABEL
from claudescope_dashboards.recurring import SERVICE_VERSION

__all__ = ["lint", "panels_of", "queries_of"]

Json = Mapping[str, Any]

_VARIABLES: Final = ("datasource", "job", "instance", "model", "workflow")
_NOT_OURS: Final = frozenset({"ALERTS", "ALERTS_FOR_STATE", "target_info"})
"""Series that the server or the SDK writes."""
_ALERT_LABELS: Final = {"alertname", "alertstate", "error_type", "owner", "severity", "tier"}
_SCRAPE_LABELS: Final = {"job", "instance"}
_COLUMNS: Final = 24
_LONGEST_UID: Final = 40
_SHORTEST_WINDOW: Final = 300
"""Seconds. A window that is written as a number comes from the spec, whose windows are no shorter than this."""

_RANGE: Final = re.compile(r"\[(?P<window>\$\w+|\d+[smhd])(:[^\]]*)?\]")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_COUNTERS: Final = ("_total", "_count", "_sum", "_bucket")
_COLOURED_PANELS: Final = {"stat", "bargauge", "state-timeline"}
"""Types of panels whose whole value takes the colour of its threshold."""


def panels_of(dashboard: Json) -> list[dict[str, Any]]:
    """The panels of a dashboard, without rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries_of(dashboard: Json) -> list[tuple[str, str]]:
    """Every query of the panels and annotations of a dashboard, each after its location."""
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


@dataclass(frozen=True, slots=True)
class _Context:
    """What dashboards are checked against.

    Attributes:
        uids: Uids of all dashboards.
        recorded: Names of the series that rules record.
        known_series: All series and labels that a query may name.
        variables: Names of the variables of each dashboard.
    """

    uids: frozenset[str]
    recorded: frozenset[str]
    known_series: KnownSeries
    variables: frozenset[str]


Rule = Callable[[Json, _Context], Iterator[str]]
QueryRule = Callable[[str, _Context], Iterator[str]]


def lint(dashboards: Mapping[str, Json], groups: Sequence[Group], spec: Spec) -> list[str]:
    """Check dashboards against all rules.

    Args:
        dashboards: Dashboards by name.
        groups: The rule groups of the spec. Queries may use the series that they record.
        spec: The spec that the dashboards and the rules are built from.

    Returns:
        One sentence for each problem, which names the dashboard and the panel.
    """
    recorded = frozenset(rule.name for group in groups for rule in group.recordings) | _NOT_OURS
    selectors = SelectorBuilder(spec)
    others = _ALERT_LABELS | _SCRAPE_LABELS | {NO_LABEL, selectors.label(SERVICE_VERSION)}
    known_series = KnownSeries(selectors, recorded, others)
    variables = frozenset((*_VARIABLES, *spec.service.deployment_labels))
    context = _Context(
        frozenset(dashboard["uid"] for dashboard in dashboards.values()), recorded, known_series, variables
    )
    return [
        f"{name}: {problem}" for name, dashboard in dashboards.items() for problem in _problems_of(dashboard, context)
    ]


def _problems_of(dashboard: Json, context: _Context) -> Iterator[str]:
    for rule in _DASHBOARD_RULES:
        yield from rule(dashboard, context)
    for panel in panels_of(dashboard):
        for rule in _PANEL_RULES:
            yield from (f"{panel.get('title')}: {problem}" for problem in rule(panel, context))
    for place, expr in queries_of(dashboard):
        yield from (f"{place}: {problem}" for problem in _query_problems(expr, context))
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            for rule in _VARIABLE_RULES:
                yield from (f"${variable['name']}: {problem}" for problem in rule(variable, context))


def _query_problems(expr: str, context: _Context) -> Iterator[str]:
    """The problems that the first failing stage of query rules finds."""
    for stage in _QUERY_STAGES:
        if problems := [problem for rule in stage for problem in rule(expr, context)]:
            yield from problems
            return


# Rules of a dashboard.


def _has_every_variable(dashboard: Json, context: _Context) -> Iterator[str]:
    names = {variable["name"] for variable in dashboard["templating"]["list"]}
    yield from (f"has no variable {name!r}" for name in sorted(context.variables) if name not in names)


def _uid_is_short(dashboard: Json, context: _Context) -> Iterator[str]:
    if len(dashboard["uid"]) > _LONGEST_UID:
        yield f"the uid {dashboard['uid']!r} is longer than {_LONGEST_UID} characters"


def _panel_ids_are_unique(dashboard: Json, context: _Context) -> Iterator[str]:
    counts = Counter(panel["id"] for panel in dashboard["panels"])
    yield from (f"two panels have the id {number}" for number, count in counts.items() if count > 1)


def _links_lead_to_dashboards(dashboard: Json, context: _Context) -> Iterator[str]:
    for link in re.findall(r"/d/([\w-]+)", str(dashboard["panels"])):
        if link not in context.uids:
            yield f"links to {link!r}, which is not a dashboard"


def _panels_do_not_overlap(dashboard: Json, context: _Context) -> Iterator[str]:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        grid = panel["gridPos"]
        columns, rows = range(grid["x"], grid["x"] + grid["w"]), range(grid["y"], grid["y"] + grid["h"])
        cells = {(column, row) for column in columns for row in rows}
        if cells & taken or columns.stop > _COLUMNS:
            yield f"{panel.get('title')} overlaps another panel, or is outside of the {_COLUMNS} columns"
        taken |= cells


# Rules of a panel.


def _has_title_and_description(panel: Json, context: _Context) -> Iterator[str]:
    yield from (f"has no {key}" for key in ("title", "description") if not panel.get(key))


def _has_a_unit(panel: Json, context: _Context) -> Iterator[str]:
    if not panel["fieldConfig"]["defaults"].get("unit"):
        yield "has no unit"


def _has_a_query(panel: Json, context: _Context) -> Iterator[str]:
    if not panel["targets"]:
        yield "has no query"


def _uses_the_selected_data_source(panel: Json, context: _Context) -> Iterator[str]:
    if any(part.get("datasource", {}).get("uid") != "${datasource}" for part in (panel, *panel["targets"])):
        yield "does not use the data source that the reader selected"


def _says_what_to_do_when_red(panel: Json, context: _Context) -> Iterator[str]:
    config = panel["fieldConfig"]
    thresholds = [config["defaults"]["thresholds"]]
    thresholds += [
        found["value"]
        for override in config.get("overrides", [])
        for found in override["properties"]
        if found["id"] == "thresholds"
    ]
    colours = [step["color"] for each in thresholds for step in each["steps"]]
    can_be_red = panel["type"] in _COLOURED_PANELS and any("red" in colour for colour in colours)
    if can_be_red and "Red" not in panel.get("description", ""):
        yield "can turn red, but its description does not say what to do then"


# Rules of a variable.


def _offers_all_and_several_values(variable: Json, context: _Context) -> Iterator[str]:
    if not (variable["includeAll"] and variable["multi"] and variable["refresh"] == 2):
        yield "expected an All option, several values, and a refresh when the time range changes"


def _asks_for_known_series(variable: Json, context: _Context) -> Iterator[str]:
    query = variable["query"]["query"]
    if values := re.fullmatch(r"label_values\((.+), (\w+)\)", query):
        expr = f"count by ({values[2]}) ({values[1]})"
    elif result := re.fullmatch(r"query_result\((.+)\)", query):
        expr = result[1]
    else:
        yield f"expected label_values(series, label) or query_result(query), got {query}"
        return
    yield from context.known_series.problems(Resolver().resolve(expr))


# Rules of a query.


def _variables_exist(expr: str, context: _Context) -> Iterator[str]:
    if unknown := set(re.findall(r"\$\{?([a-zA-Z]\w*)", expr)) - context.variables - Resolver.INTERVALS:
        yield f"uses the variables {sorted(unknown)}, which the dashboard does not have"


def _series_exist(expr: str, context: _Context) -> Iterator[str]:
    yield from context.known_series.problems(Resolver().resolve(expr))


def _windows_are_long_enough(expr: str, context: _Context) -> Iterator[str]:
    for found in _RANGE.finditer(expr):
        window = found["window"]
        if not window.startswith("$") and int(window[:-1]) * _UNITS[window[-1]] < _SHORTEST_WINDOW:
            yield f"uses the window {window}: expected $__rate_interval, or a window of the spec of 5m or more"


def _selectors_use_job_and_instance(expr: str, context: _Context) -> Iterator[str]:
    selectors: list[promql_parser.VectorSelector] = []

    def visit(node: promql_parser.Expr) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            selectors.append(node)
        return True

    promql_parser.walk(promql_parser.parse(Resolver().resolve(expr)), visit)
    for selector in selectors:
        labels = {matcher.name for matcher in selector.matchers.matchers}
        if selector.name and selector.name not in context.recorded and not labels >= _SCRAPE_LABELS:
            yield f"selects {selector.name} without $job and $instance"


def _counters_have_a_rate(expr: str, context: _Context) -> Iterator[str]:
    for name in _instant_series(promql_parser.parse(Resolver().resolve(expr))):
        if name.endswith(_COUNTERS) and name not in context.recorded:
            yield f"shows the counter {name} itself: expected its rate or increase"


def _instant_series(node: Any) -> Iterator[str]:
    """Names of the series whose current values are used: not over a window, not by timestamp, not only counted."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node.name or ""
    elif isinstance(node, promql_parser.Call):
        for argument in () if node.func.name == "timestamp" else node.args:
            yield from _instant_series(argument)
    elif isinstance(node, promql_parser.AggregateExpr):
        yield from () if str(node.op) == "count" else _instant_series(node.expr)
    elif isinstance(node, promql_parser.BinaryExpr):
        yield from _instant_series(node.lhs)
        yield from _instant_series(node.rhs)
    elif isinstance(node, (promql_parser.ParenExpr, promql_parser.UnaryExpr, promql_parser.SubqueryExpr)):
        yield from _instant_series(node.expr)


_DASHBOARD_RULES: Final[tuple[Rule, ...]] = (
    _has_every_variable,
    _uid_is_short,
    _panel_ids_are_unique,
    _links_lead_to_dashboards,
    _panels_do_not_overlap,
)
_PANEL_RULES: Final[tuple[Rule, ...]] = (
    _has_title_and_description,
    _has_a_unit,
    _has_a_query,
    _uses_the_selected_data_source,
    _says_what_to_do_when_red,
)
_VARIABLE_RULES: Final[tuple[Rule, ...]] = (_offers_all_and_several_values, _asks_for_known_series)
_QUERY_STAGES: Final[tuple[tuple[QueryRule, ...], ...]] = (
    (_variables_exist,),
    (_series_exist,),
    (_windows_are_long_enough, _selectors_use_job_and_instance, _counters_have_a_rate),
)
"""A stage runs only on queries that passed all stages before it."""
