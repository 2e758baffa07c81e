"""Validators of the dashboards. Those that are not installed are skipped and named."""

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
"""Keys of a Prometheus annotation, which the dashboard schema does not contain."""

Dashboards = Mapping[str, Mapping[str, Any]]


def check_dashboards(spec: Spec) -> list[CheckResult]:
    """Validate the dashboards of a spec with every validator that is installed."""
    try:
        dashboards = dashboards_of(spec)
    except BadInputError as problems:
        return [CheckResult("lint", "failed", str(problems))]
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
    """Return every query that is not PromQL after its variables are replaced."""
    for name, dashboard in dashboards.items():
        for place, expr in queries_of(dashboard):
            if problem := _syntax_error(expr):
                yield f"{name}: {place}: {problem}"


def _syntax_error(expr: str) -> str:
    try:
        promql_parser.parse(Resolver().resolve(expr))
    except ValueError as error:
        return str(error)
    return ""


def lost_in_round_trip(dashboards: Dashboards) -> Iterator[str]:
    """Return every value that a round trip through Grafana's own dashboard model loses or changes."""
    # Optional and slow to import.
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
        returned_items: list[Any] = returned  # pyright: ignore[reportUnknownVariableType]
        if len(items) != len(returned_items):
            yield f"{place} has {len(returned_items)} of {len(items)} items"
        for item, other in zip(items, returned_items, strict=False):
            yield from _losses(item, other, f"{place}[]")
    elif given != returned:
        yield f"{place} was {given!r} and is {returned!r}"
