"""Judges of the boards: each that is installed is asked, and those that are not are named."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

import promql_parser

from claudescope._internal.exceptions import BadInputError
from claudescope_alerts.spec.model import Spec
from claudescope_alerts.validators import CheckResult
from claudescope_dashboards.build import dashboards_of
from claudescope_dashboards.interpolation import Resolver
from claudescope_dashboards.lint import queries_of

__all__ = ["check_dashboards", "lost_in_round_trip", "unparsed"]

_PLUGINS_OWN: Final = {"tagKeys", "textFormat", "titleFormat"}
"""Keys of a Prometheus annotation, which the schema of dashboards leaves to the data source."""

Dashboards = Mapping[str, Mapping[str, Any]]


def check_dashboards(spec: Spec) -> list[CheckResult]:
    """Let every judge that is here check the boards of a spec."""
    try:
        dashboards = dashboards_of(spec)
    except BadInputError as mistakes:
        return [CheckResult("lint", "failed", str(mistakes))]
    return [
        CheckResult("lint", "passed"),
        _check_result("promql-parser", "promql_parser", lambda: unparsed(dashboards)),
        _check_result(
            "grafana-foundation-sdk round trip", "grafana_foundation_sdk", lambda: lost_in_round_trip(dashboards)
        ),
    ]


def _check_result(validator: str, module: str, ask: Callable[[], Iterator[str]]) -> CheckResult:
    if importlib.util.find_spec(module) is None:
        package = module.replace("_", "-")
        return CheckResult(validator, "skipped", f"{package} is not installed: pip install {package}")
    problems = "\n".join(ask())
    return CheckResult(validator, "failed" if problems else "passed", problems)


def unparsed(dashboards: Dashboards) -> Iterator[str]:
    """Every query that is not PromQL once its variables are filled in."""
    for name, dashboard in dashboards.items():
        for place, expr in queries_of(dashboard):
            for refusal in _refusals(expr):
                yield f"{name}: {place}: {refusal}"


def _refusals(expr: str) -> Iterator[str]:
    try:
        promql_parser.parse(Resolver().resolve(expr))
    except ValueError as error:
        yield str(error)


def lost_in_round_trip(dashboards: Dashboards) -> Iterator[str]:
    """Everything that Grafana's own model of a dashboard does not know, or has otherwise."""
    # Heavy, and only a judge: it is imported where it is asked.
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    register_default_plugins()
    model: Any = Dashboard
    for name, dashboard in dashboards.items():
        given = json.loads(json.dumps(dashboard))
        returned = json.loads(json.dumps(model.from_json(given), cls=JSONEncoder))
        for loss in dict.fromkeys(_losses(given, returned, "")):
            yield f"{name}: {loss}"


def _losses(given: Any, returned: Any, place: str) -> Iterator[str]:
    if isinstance(given, dict) and isinstance(returned, dict):
        pairs, others = cast("dict[str, Any]", given), cast("dict[str, Any]", returned)
        for key, value in pairs.items():
            if key in others:
                yield from _losses(value, others[key], f"{place}.{key}")
            elif not (place.startswith(".annotations.") and key in _PLUGINS_OWN):
                yield f"{place}.{key} is lost"
    elif isinstance(given, list) and isinstance(returned, list):
        items: list[Any] = given  # pyright: ignore[reportUnknownVariableType]
        theirs: list[Any] = returned  # pyright: ignore[reportUnknownVariableType]
        if len(items) != len(theirs):
            yield f"{place} has {len(theirs)} items of {len(items)}"
        for item, other in zip(items, theirs, strict=False):
            yield from _losses(item, other, f"{place}[]")
    elif given != returned:
        yield f"{place} was {given!r} and is {returned!r}"
