"""What the body of an error handler does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from claudescope.audit.resolve import Resolver
from claudescope.audit.values import Outcome

__all__ = ["Handling", "describe", "is_log", "mentions", "walk_here"]

_LOGS: Final = frozenset(["debug", "info", "warning", "warn", "error", "exception", "critical", "log", "fatal", "msg"])
_METRICS: Final = frozenset(
    [
        "inc",
        "increment",
        "incr",
        "count",
        "counter",
        "add",
        "observe",
        "record",
        "gauge",
        "timing",
        "histogram",
        "set_attribute",
        "record_exception",
        "set_status",
        "capture_exception",
        "capture_message",
        "notify",
        "labels",
        "emit",
        "track",
        "send_alert",
        "report_exc_info",
        "add_event",
    ]
)
_WRITERS: Final = ("log", "logger", "logging", "_log", "_logger", "structlog")


@dataclass(frozen=True)
class Handling:
    """What a handler does with an error.

    Attributes:
        reraises: It raises the same error again, at least sometimes.
        raises: It raises any error.
        is_silent: It does nothing at all, or only prints.
        returns_none: Silent, and returns None.
        continues: It ends in `continue`.
        tells: It logs, counts, or hands the error on.
        default: It returns or sets a value that the reader can't tell from a real one.
        filters: It looks at the error before it decides.
        leaves: It never repeats the loop: its last statement returns, raises or breaks.
        logs: The calls that log.
    """

    reraises: bool
    raises: bool
    is_silent: bool
    returns_none: bool
    continues: bool
    tells: bool
    default: bool
    filters: bool
    leaves: bool
    logs: tuple[ast.Call, ...]


def walk_here(*nodes: ast.AST) -> Iterator[ast.AST]:
    """Every node below, without the bodies of functions that are defined there."""
    todo = list(nodes)
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            todo.extend(ast.iter_child_nodes(node))


def mentions(node: ast.AST, name: str | None) -> bool:
    """Whether a variable is used."""
    return name is not None and any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))


def is_log(call: ast.Call) -> bool:
    """Whether a call writes to a log."""
    called = call.func
    if not isinstance(called, ast.Attribute) or called.attr not in _LOGS:
        return False
    owner = ast.unparse(called.value).lower()
    return "log" in owner or owner in _WRITERS or called.attr in {"exception", "critical", "warning"}


def _is_metric(call: ast.Call) -> bool:
    called = call.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name in _METRICS


def _tells(resolver: Resolver, call: ast.Call, error: str | None, depth: int = 0) -> bool:
    if is_log(call) or _is_metric(call):
        return True
    for function in resolver.functions(call.func) if depth < 3 else ():
        body = function.node.body if isinstance(function.node, ast.FunctionDef | ast.AsyncFunctionDef) else []
        if any(_tells(resolver, n, None, depth + 1) for n in walk_here(*body) if isinstance(n, ast.Call)):
            return True
    name = ast.unparse(call.func)
    passes = any(mentions(a, error) for a in (*call.args, *(k.value for k in call.keywords)))
    return passes and name.rpartition(".")[2] in {
        "append",
        "put",
        "put_nowait",
        "publish",
        "report",
        "on_error",
        "set_exception",
    }


def describe(resolver: Resolver, body: list[ast.stmt], error: str | None) -> Handling:
    """What the statements of a handler do; `error` is the name that it gives the error."""
    nodes = list(walk_here(*body))
    calls = [n for n in nodes if isinstance(n, ast.Call)]
    raises = [n for n in nodes if isinstance(n, ast.Raise)]
    reraises = any(r.exc is None or (isinstance(r.exc, ast.Name) and r.exc.id == error) for r in raises)
    tells = any(_tells(resolver, c, error) for c in calls) or any(
        isinstance(n, ast.AugAssign) and not mentions(n, error) and isinstance(n.target, ast.Attribute | ast.Subscript)
        for n in nodes
    )
    plain = [s for s in body if not _is_print(s)]
    silent = all(isinstance(s, ast.Pass | ast.Continue | ast.Break) or _is_text(s) for s in plain)
    returns_none = all(
        isinstance(s, ast.Pass | ast.Continue) or (isinstance(s, ast.Return) and (s.value is None or _is_none(s.value)))
        for s in plain
    )
    has_prints = len(plain) < len(body)
    to_stderr = any("stderr" in ast.unparse(s) for s in body if _is_print(s))
    return Handling(
        reraises=reraises,
        raises=bool(raises) or any(_exits(c) for c in calls),
        is_silent=silent and not (has_prints and to_stderr),
        returns_none=returns_none and not silent and not has_prints,
        continues=bool(body) and isinstance(body[-1], ast.Continue),
        tells=tells,
        default=_has_default(resolver, body, nodes, error) and not raises,
        filters=any(_asks(n, error) for n in nodes),
        leaves=bool(body)
        and isinstance(body[-1], ast.Return | ast.Raise | ast.Break)
        and not any(isinstance(n, ast.Continue) for n in nodes),
        logs=tuple(c for c in calls if is_log(c)),
    )


def _asks(node: ast.AST, error: str | None) -> bool:
    """Whether a statement decides by what the error is."""
    if isinstance(node, ast.If | ast.IfExp):
        return mentions(node.test, error)
    return isinstance(node, ast.Match) and mentions(node.subject, error)


def _is_print(node: ast.stmt) -> bool:
    value = node.value if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "print"


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _exits(call: ast.Call) -> bool:
    return ast.unparse(call.func) in {"sys.exit", "exit", "quit", "os._exit"}


_ERROR_WORDS: Final = ("error", "status", "ok", "success", "detail", "failed", "exception")


def _has_default(resolver: Resolver, body: list[ast.stmt], nodes: list[ast.AST], error: str | None) -> bool:
    """Whether the handler puts something in the place of the answer, without saying so."""
    for node in nodes:
        if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
            asks_again = any(isinstance(v, Outcome) for v in resolver.values(node.value))
            if not asks_again and not mentions(node.value, error) and not _says_error(node.value):
                return True
    for statement in body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(
            statement.value, ast.Constant | ast.List | ast.Dict | ast.JoinedStr | ast.Name
        ):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            named = any(
                isinstance(t, ast.Name) and not t.id.startswith(("last", "err", "delay", "attempt", "fail", "ok"))
                for t in targets
            )
            if (
                named
                and not _is_none(statement.value)
                and not mentions(statement.value, error)
                and not isinstance(statement.value, ast.Name)
            ):
                return True
    return False


def _says_error(node: ast.expr) -> bool:
    """Whether a value tells its reader that there was an error: a response with a status, `{"error": …}`."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.keyword) and inner.arg in {
            "status",
            "status_code",
            "statusCode",
            "code",
            "error",
            "ok",
            "success",
            "failed",
        }:
            return True
        if isinstance(inner, ast.Dict) and any(
            isinstance(k, ast.Constant) and str(k.value).lower() in {*_ERROR_WORDS, "statuscode"} for k in inner.keys
        ):
            return True
        if isinstance(inner, ast.Name | ast.Attribute):
            name = inner.id if isinstance(inner, ast.Name) else inner.attr
            if name.endswith(("Error", "Failure", "Failed", "ERROR", "FAILED")):
                return True
    if isinstance(node, ast.Tuple) and any(
        isinstance(e, ast.Constant) and isinstance(e.value, int) and 400 <= e.value < 600 for e in node.elts
    ):
        return True
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value in {1, 2}
