"""Rules about whether anything catches an error, and what it then does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import cast

from claudescope.audit.case import Case
from claudescope.audit.handlers import describe
from claudescope.audit.model import Confidence
from claudescope.audit.rules.rule import Hit
from claudescope.audit.scopes import Scope
from claudescope.audit.steps import Catch

__all__ = ["broad_except", "fallback_hides_error", "swallowed_error", "unhandled_call"]

_PROBE = re.compile(r"health|ready|alive|ping|probe|is_up|reachable|available", re.IGNORECASE)


def unhandled_call(case: Case) -> Iterator[Hit]:
    """Report a call whose errors nothing catches."""
    module = case.site.scope.module
    if case.handled not in {"none", "unknown"} or module.is_test or case.is_notebook:
        return
    if any(path.end == "lazy" and _is_in_try(case, path.steps[-1].node) for path in case.paths):
        return  # stream-error-unhandled says it
    sure = case.handled == "none" and all(path.end != "no-caller" for path in case.paths)
    confidence: Confidence = "high" if sure else "medium" if case.handled == "none" else "low"
    where = "No caller in the scanned files" if case.handled == "unknown" else "Nothing"
    yield Hit(
        "unhandled-call",
        case.site.line,
        confidence,
        f"{where} catches the errors of {case.site.name}. Catch anthropic.APIError, or let a caller or the app do so.",
    )


def _is_in_try(case: Case, node: object) -> bool:
    return any(c.node is node for c in case.catches)


def _takes_the_rest(catch: Catch) -> bool:
    return catch.caught.is_broad and not catch.handling.reraises


def broad_except(case: Case) -> Iterator[Hit]:
    """Report a handler that catches every exception and does not raise it again."""
    for catch in case.catches:
        if catch.handler is None or catch.origin in {"context", "gather"} or not _takes_the_rest(catch):
            continue
        yield Hit(
            "broad-except",
            case.site.line,
            "high" if catch.origin == "own" else "medium",
            f"The errors of {case.site.name} are caught by a broad except (line {catch.handler.lineno})."
            " It hides bugs too: catch anthropic.APIError, or raise the error again.",
        )
        return


def swallowed_error(case: Case) -> Iterator[Hit]:
    """Report a handler that does nothing with an error."""
    for catch in case.catches:
        if not case.is_silent(catch) or (catch.handler is None and catch.origin not in {"context", "gather"}):
            continue
        yield Hit(
            "swallowed-error",
            case.site.line,
            "high",
            f"Errors of {case.site.name} disappear (line {getattr(catch.node, 'lineno', case.site.line)})."
            " Log or count them, or raise them again.",
        )
        return


def fallback_hides_error(case: Case) -> Iterator[Hit]:
    """Report a handler that returns a default, and neither logs nor counts."""
    for catch in case.catches:
        handling = catch.handling
        if catch.handler is None or handling.tells or handling.raises or _PROBE.search(catch.step.scope.name):
            continue
        hides = _default_in_the_end(case, catch) if case.goes_round(catch) else handling.default
        if not hides or _ends_process(case, catch.step.scope):
            continue
        yield Hit(
            "fallback-hides-error",
            case.site.line,
            "high" if catch.origin == "own" else "medium",
            f"If {case.site.name} fails, a default takes the place of the answer (line"
            f" {catch.handler.lineno}) and nothing"
            " records the error. Log it or count it.",
        )
        return


def _default_in_the_end(case: Case, catch: Catch) -> bool:
    """Whether a default follows a loop that has made all its attempts, without a word."""
    project = case.resolver.project
    for loop, _ in project.ancestors(catch.node):
        if isinstance(loop, ast.For | ast.AsyncFor | ast.While):
            found: object = getattr(project.parents.get(loop), "body", None)
            block = cast("list[ast.stmt]", found) if isinstance(found, list) else []
            after = block[block.index(loop) + 1 :] if loop in block else []
            end = describe(case.resolver, [*loop.orelse, *after], None)
            return end.default and not end.tells
    return False


def _ends_process(case: Case, scope: Scope) -> bool:
    """Whether what a function returns is told on leaving the program: `sys.exit(main())`."""
    parents = [case.resolver.project.parents.get(call) for call in case.resolver.callers(scope)]
    return any(
        isinstance(p, ast.Call) and ast.unparse(p.func) in {"sys.exit", "exit", "quit", "SystemExit"} for p in parents
    )
