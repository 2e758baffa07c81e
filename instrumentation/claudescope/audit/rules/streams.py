"""Rules about streams."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from claudescope.audit.case import Case
from claudescope.audit.handlers import walk_here
from claudescope.audit.rules.rule import Hit
from claudescope.audit.scopes import Scope
from claudescope.audit.values import Outcome

__all__ = ["stream_error_unhandled", "stream_not_closed"]

_ENDS = frozenset({"get_final_message", "get_final_text", "until_done", "get_final_completion"})


def _is_of(case: Case, node: ast.AST) -> bool:
    return Outcome(case.site.call) in case.resolver.values(node)


def _nodes(case: Case) -> Iterator[ast.AST]:
    """The code that may use the stream: the module of the call, and those of the callers."""
    seen: set[Scope] = set()
    for scope in case.scopes():
        home = scope
        if home not in seen:
            seen.add(home)
            yield from walk_here(*(home.node.body if isinstance(home.node.body, list) else [home.node.body]))


def _loops(case: Case) -> list[ast.For | ast.AsyncFor]:
    return [n for n in _nodes(case) if isinstance(n, ast.For | ast.AsyncFor) and _is_of(case, n.iter)]


def _is_closed(case: Case) -> bool:
    for node in _nodes(case):
        if isinstance(node, ast.With | ast.AsyncWith) and any(_is_of(case, i.context_expr) for i in node.items):
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in {"close", "aclose", "__exit__", "__aexit__"} and _is_of(case, node.func.value):
                return True
            if node.func.attr in {"enter_context", "enter_async_context", "push_async_callback", "callback"} and any(
                _is_of(case, inner) for a in node.args for inner in (a, getattr(a, "value", a))
            ):
                return True
    return False


def stream_not_closed(case: Case) -> Iterator[Hit]:
    """Report a stream whose connection stays open if it is not read to the end."""
    site = case.site
    if (
        not site.is_stream
        or site.library not in {"sdk", "requests", "litellm", "openai", "aiohttp"}
        or _is_closed(case)
    ):
        return
    loops = _loops(case)
    left = any(_is_left(loop) for loop in loops)
    by_hand = any(
        isinstance(n, ast.Call)
        and isinstance(n.func, ast.Attribute)
        and n.func.attr in {"__enter__", "__aenter__"}
        and _is_of(case, n.func.value)
        for n in _nodes(case)
    )
    if left or by_hand or (not loops and _is_unread(case)):
        yield Hit(
            "stream-not-closed",
            site.line,
            "high",
            f"The stream of {site.name} is not closed if it is left early: its connection leaks. Use it in a with statement.",
        )


def _is_left(loop: ast.For | ast.AsyncFor) -> bool:
    todo: list[tuple[ast.AST, bool]] = [(s, True) for s in loop.body]
    while todo:
        node, own = todo.pop()
        if isinstance(node, ast.Return) or (isinstance(node, ast.Break) and own):
            return True
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        inner = own and not isinstance(node, ast.For | ast.AsyncFor | ast.While)
        todo.extend((child, inner) for child in ast.iter_child_nodes(node))
    return False


def _is_unread(case: Case) -> bool:
    project = case.resolver.project
    node: ast.AST = case.site.call
    parent = project.parents.get(node)
    if isinstance(parent, ast.Await):
        node, parent = parent, project.parents.get(parent)
    if isinstance(parent, ast.Expr):
        return True
    if isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name):
        name, scope = parent.targets[0].id, case.site.scope
        return not any(
            isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in ast.walk(scope.node)
        )
    return False


def stream_error_unhandled(case: Case) -> Iterator[Hit]:
    """Report a try that holds the start of a stream, but not its iteration."""
    site = case.site
    if not site.is_stream and site.method != "tool_runner":
        return
    created = bool(case.catches)
    if (created and any(not _is_covered(case, node) for node in _reads(case))) or (
        not created and any(_lazy_in_try(case, path.steps[-1].node) for path in case.paths if path.end == "lazy")
    ):
        yield _hit(case)


def _reads(case: Case) -> Iterator[ast.AST]:
    for loop in _loops(case):
        yield loop.iter
    for node in _nodes(case):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _ENDS
            and _is_of(case, node.func.value)
        ):
            yield node
        elif isinstance(node, ast.comprehension) and _is_of(case, node.iter):
            yield node.iter


def _is_covered(case: Case, node: ast.AST) -> bool:
    return any(path.catches for path in case.walker.paths(case.site, start=node))


def _lazy_in_try(case: Case, node: ast.AST) -> bool:
    return any(
        isinstance(parent, ast.Try) and parent.handlers and child in parent.body
        for parent, child in case.resolver.project.ancestors(node)
    )


def _hit(case: Case) -> Hit:
    return Hit(
        "stream-error-unhandled",
        case.site.line,
        "high",
        f"The try around {case.site.name} ends before its stream is read, and most errors of a stream come while it is read."
        " Put the iteration into the try.",
    )
