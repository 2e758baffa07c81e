"""No ratio is ever made of one part only: neither a missing whole nor a missing part becomes a value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest

from claudescope_alerts.build import groups_of
from claudescope_alerts.spec.model import Spec, load_spec
from claudescope_dashboards.build import dashboards_of
from claudescope_dashboards.interpolation import Resolver
from claudescope_dashboards.lint import queries_of

_FORM = re.compile(r"^claude_fleet(_by_instance)?:|(_total|_bucket)?(:\w+)?$")
"""What a name has more in one form of histograms, or in the rollup of a fleet."""


def _expressions(spec: Spec) -> Iterator[tuple[str, str]]:
    for group in groups_of(spec):
        for rule in group.rules:
            yield f"{group.name}: {rule.name}", rule.expr
    for name, dashboard in dashboards_of(spec).items():
        for place, expr in queries_of(dashboard):
            yield f"{name}: {place}", Resolver().resolve(expr)


def _inner(node: Any) -> Any:
    while isinstance(node, promql_parser.ParenExpr):
        node = node.expr
    return node


def _all(node: Any) -> list[Any]:
    found: list[Any] = []

    def visit(each: Any) -> bool:
        found.append(each)
        return True

    promql_parser.walk(node, visit)
    return found


def _series(node: Any) -> set[str]:
    """Names of the series, the same for both forms of a histogram."""
    return {_FORM.sub("", each.name or "") for each in _all(node) if isinstance(each, promql_parser.VectorSelector)}


def _operation(node: Any, operator: str) -> bool:
    return isinstance(node, promql_parser.BinaryExpr) and str(node.op) == operator


def _needs_a_value(whole: Any) -> bool:
    """Whether a denominator that is missing or 0 gives no ratio."""
    whole = _inner(whole)
    if _operation(whole, ">"):
        return isinstance(whole.rhs, promql_parser.NumberLiteral)
    if isinstance(whole, promql_parser.Call):
        return whole.func.name == "clamp_min"
    return isinstance(whole, promql_parser.VectorSelector) and (whole.name or "").endswith(":baseline")


def _zero_of(node: Any) -> Any:
    """`x` of `0 * x`, which is 0 where `x` has a value."""
    node = _inner(node)
    if _operation(node, "*") and isinstance(node.lhs, promql_parser.NumberLiteral) and node.lhs.val == 0:
        return node.rhs
    return None


def _problems(expr: str) -> Iterator[str]:
    """What lets a ratio of an expression be made of one part only."""
    for ratio in _all(promql_parser.parse(expr)):
        if not _operation(ratio, "/") or isinstance(_inner(ratio.rhs), promql_parser.NumberLiteral):
            continue
        if not _needs_a_value(ratio.rhs):
            yield f"a whole of 0 gives a ratio: {ratio.rhs}"
        for each in (*_all(ratio.lhs), *_all(ratio.rhs)):
            if not _operation(each, "or"):
                continue
            zero = _zero_of(each.rhs)
            if zero is None and _series(each.lhs) != _series(each.rhs):
                yield f"something else takes the place of a part: {each.rhs}"
            if zero is not None and not _series(zero) <= _series(ratio.rhs):
                yield f"a part is 0 where the whole is not known: {each.rhs}"
    for each in _all(promql_parser.parse(expr)):
        if _operation(each, "or") and any(_operation(one, "/") for one in _all(each.lhs)):
            for one in _all(each.rhs):
                if isinstance(one, promql_parser.Call) and one.func.name == "vector":
                    yield f"a constant takes the place of a ratio: {each.rhs}"


@pytest.mark.parametrize("changed", [{}, {"histograms": "classic"}, {"histograms": "native"}, {"fleet_rollup": True}])
def test_every_ratio_needs_both_parts(changed: dict[str, object]) -> None:
    """All rules and panels, in every form of histograms, and of a fleet."""
    spec = Spec.model_validate({**load_spec().model_dump(by_alias=True), **changed})
    found = list(_expressions(spec))
    ratios = sum("/" in expr for _, expr in found)
    assert len(found) > 300
    assert ratios > 100
    assert [(place, problem) for place, expr in found for problem in _problems(expr)] == []


@pytest.mark.parametrize(
    "expr",
    [
        "sum(rate(a[5m])) / sum(rate(b[5m]))",
        "(sum(rate(a[5m])) or vector(0)) / (sum(rate(b[5m])) > 0)",
        "(sum(rate(a[5m])) or 0 * sum(rate(c[5m]))) / (sum(rate(b[5m])) > 0)",
        "sum(rate(a[5m])) / ((sum(rate(b[5m])) or sum(rate(a[5m]))) > 0)",
        "sum(rate(a[5m])) / (sum(rate(b[5m])) > 0) or vector(1)",
    ],
)
def test_a_ratio_of_one_part_is_found(expr: str) -> None:
    """Each way to make a ratio of one part only is found."""
    assert list(_problems(expr)) != []
