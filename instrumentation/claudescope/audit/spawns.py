"""Where a coroutine or a function goes that is not called on the spot: to a task, a thread, a pool, a framework."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from claudescope.audit.resolve import Resolver
from claudescope.audit.scopes import Scope

__all__ = ["Passed", "Use", "destination"]

Use: TypeAlias = Literal[
    "call", "gather", "dropped", "thread", "endpoint", "lazy", "argument", "job", "graph", "watched", "unknown"
]
_RUNS: Final = frozenset(
    [
        "run",
        "wait_for",
        "run_until_complete",
        "shield",
        "run_sync",
        "async_to_sync",
        "run_async",
        "anyio_run",
        "to_sync",
        "run_coroutine",
    ]
)
_TASKS: Final = frozenset({"create_task", "ensure_future", "run_coroutine_threadsafe", "start_soon", "spawn", "start"})
_GATHERS: Final = frozenset({"gather", "as_completed", "wait", "staggered_race"})
_THREADS: Final = frozenset(
    {"to_thread", "run_in_executor", "run_in_threadpool", "run_sync", "sync_to_async", "asyncify"}
)
_ENDPOINTS: Final = frozenset(
    [
        "Depends",
        "Security",
        "add_api_route",
        "add_route",
        "add_url_rule",
        "add_post",
        "add_get",
        "add_put",
        "Route",
        "WebSocketRoute",
        "path",
        "re_path",
        "url",
        "post",
        "get",
        "put",
        "add_websocket_route",
        "add_event_handler",
        "Command",
        "add_handler",
        "MessageHandler",
        "CommandHandler",
    ]
)
_RESPONSES: Final = frozenset(
    {
        "StreamingResponse",
        "EventSourceResponse",
        "Response",
        "StreamingHttpResponse",
        "stream_with_context",
        "StreamResponse",
    }
)
_JOBS: Final = frozenset(
    {
        "enqueue",
        "enqueue_call",
        "enqueue_in",
        "enqueue_at",
        "delay",
        "apply_async",
        "add_job",
        "do",
        "schedule",
        "register",
    }
)
_NODES: Final = frozenset({"add_node", "add_conditional_edges", "add_sequence"})
"""Methods of a LangGraph builder: whoever runs the graph calls its nodes."""
_READS: Final = frozenset({"result", "exception"})


@dataclass(frozen=True)
class Passed:
    """Where something goes.

    Attributes:
        use: How it is used there.
        node: The expression at which its errors come up, or would.
        kept: Whether anything holds on to a task that is not awaited.
        spawn: The call that starts the task or the thread.
        source: The coroutine or the function that is passed on.
    """

    use: Use
    node: ast.AST
    kept: bool = False
    spawn: ast.AST | None = None
    source: ast.AST | None = None  # the coroutine or the function that is passed on


def destination(resolver: Resolver, node: ast.AST, scope: Scope, *, is_reference: bool) -> Passed:
    """Follow a coroutine (or, with `is_reference`, a function) to the place that runs it."""
    return replace(_follow(resolver, node, scope, is_reference=is_reference), source=node)


def _follow(resolver: Resolver, node: ast.AST, scope: Scope, *, is_reference: bool) -> Passed:
    project = resolver.project
    spawn: ast.AST | None = None
    for parent, inner in project.ancestors(node):
        match parent:
            case ast.Await():
                return Passed("call", spawn or node, spawn=spawn)
            case ast.Call(func=ast.Name(id="map")) if is_reference and inner is parent.args[0]:
                is_reference = False
            case ast.Call() if inner is not parent.func:
                passed = _into_call(resolver, parent, inner, scope, is_reference=is_reference, spawn=spawn)
                if passed is not None:
                    return passed
                if _last(parent) in _TASKS | {"submit", "map", "Thread", "run_in_executor"}:
                    spawn = parent
            case ast.Assign() | ast.AnnAssign() | ast.NamedExpr():
                return _assigned(resolver, parent, scope, node, spawn)
            case ast.Return() | ast.Lambda():
                return Passed("call", spawn or node, spawn=spawn)
            case ast.stmt():
                break
            case _:
                pass
    if spawn is not None:
        return Passed("dropped", spawn, spawn=spawn)
    return Passed("unknown" if is_reference else "call", node)


def _last(call: ast.AST) -> str:
    called = call.func if isinstance(call, ast.Call) else call
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def _into_call(
    resolver: Resolver, call: ast.Call, inner: ast.AST, scope: Scope, *, is_reference: bool, spawn: ast.AST | None
) -> Passed | None:
    """What a call does with what it is passed; None if the value goes on through the call's own result."""
    name = _last(call)
    dotted = ast.unparse(call.func) if isinstance(call.func, ast.Attribute | ast.Name) else ""
    if name in _GATHERS and not is_reference:
        return _gathered(resolver, call, scope, spawn)
    if is_reference:
        if name in _THREADS or dotted == "loop.run_in_executor":
            awaited = _is_awaited(resolver, call)
            return Passed("thread" if awaited else "dropped", call, spawn=call)
        if name in {"Thread", "Timer", "Process"}:
            return Passed("dropped", call, spawn=call, kept=False)
        if name == "submit" and "executor" not in dotted and "pool" not in dotted and not _is_executor(resolver, call):
            return Passed("job", call)
        if name in {"submit", "map", "starmap", "imap", "imap_unordered"} and isinstance(call.func, ast.Attribute):
            return None if name == "submit" else _mapped(resolver, call)
        if name == "add_task":
            return Passed("dropped", call, spawn=call)
        if name in {"start_soon", "start"}:
            return Passed("call", _group_of(resolver, call) or call, spawn=call)
        if name in {"call_soon", "call_later", "call_soon_threadsafe"}:
            return Passed("dropped", call, spawn=call)
        if name in _JOBS:
            return Passed("job", call)
        if name in _NODES:
            return Passed("graph", call)
        if name in _ENDPOINTS:
            return Passed("endpoint", call)
        if name in {"partial", "wraps", "copy_context"}:
            return None
        if name in {"run", "run_sync", "sync_to_async", "asyncify"} and dotted.startswith(("anyio", "trio")):
            return Passed("call", call)
        return Passed("argument", call, spawn=inner)
    if name in _RUNS:
        return None
    if name in _TASKS:
        group = _group_of(resolver, call)
        return Passed("call", group, spawn=call) if group is not None else None
    if name == "add_task":
        return Passed("dropped", call, spawn=call)
    if name in _RESPONSES:
        return Passed("lazy", call)
    if name in {"append", "add"} and isinstance(call.func, ast.Attribute):
        return _collected(resolver, call.func.value, scope, call, spawn)
    return None


def _is_executor(resolver: Resolver, call: ast.Call) -> bool:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    return any("Executor" in n for n in resolver.names(owner))


def _is_awaited(resolver: Resolver, call: ast.Call) -> bool:
    for parent, _ in resolver.project.ancestors(call):
        if isinstance(parent, ast.Await | ast.Return | ast.Assign | ast.List | ast.ListComp | ast.GeneratorExp):
            return True
        if isinstance(parent, ast.Call) and _last(parent) in _GATHERS | _RUNS | {"append"}:
            return True
        if isinstance(parent, ast.stmt):
            break
    return _last(call) == "sync_to_async"


def _group_of(resolver: Resolver, call: ast.Call) -> ast.AST | None:
    """The `async with` of a task group: errors of its tasks come up there."""
    if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name):
        return None
    name = call.func.value.id
    for parent, _ in resolver.project.ancestors(call):
        if isinstance(parent, ast.AsyncWith):
            for item in parent.items:
                bound = item.optional_vars
                if isinstance(bound, ast.Name) and bound.id == name:
                    return parent
    return None


def _mapped(resolver: Resolver, call: ast.Call) -> Passed:
    """`map` raises where its results are read."""
    parent = resolver.project.parents.get(call)
    if isinstance(parent, ast.Expr):
        return Passed("dropped", call, spawn=call, kept=True)
    return Passed("thread", call, spawn=call)


def _gathered(resolver: Resolver, call: ast.Call, scope: Scope, spawn: ast.AST | None) -> Passed:
    name = _last(call)
    if name == "wait" and not _reads(scope):
        return Passed("dropped", call, kept=True, spawn=call)
    if name == "as_completed":
        for parent, inner in resolver.project.ancestors(call):
            if isinstance(parent, ast.For | ast.AsyncFor) and inner is parent.iter:
                return Passed("gather", _read_in(parent) or call, spawn=spawn or call)
    return Passed("gather", call, spawn=spawn or call)


def _read_in(loop: ast.For | ast.AsyncFor) -> ast.AST | None:
    """Where the body of a loop asks each task or future for its result."""
    for statement in loop.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _READS:
                return node
            if (
                isinstance(node, ast.Await)
                and isinstance(node.value, ast.Name)
                and ast.unparse(loop.target) == node.value.id
            ):
                return node
    return None


def _reads(scope: Scope) -> bool:
    """Whether anything in a function asks a task or future for its result."""
    return any(isinstance(n, ast.Attribute) and n.attr in _READS for n in ast.walk(scope.node))


def _uses(scope: Scope, name: str) -> Iterator[ast.Name]:
    for node in ast.walk(scope.node):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            yield node


def _assigned(resolver: Resolver, statement: ast.AST, scope: Scope, node: ast.AST, spawn: ast.AST | None) -> Passed:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", statement)]
    for target in targets:
        if isinstance(target, ast.Name):
            return _collected(resolver, target, scope, node, spawn)
        if isinstance(target, ast.Attribute) and spawn is not None:
            owned = f"{ast.unparse(target)}"
            for other in ast.walk(scope.module.tree):
                if isinstance(other, ast.Await) and ast.unparse(other.value) == owned:
                    return Passed("call", spawn, spawn=spawn)
            return Passed("dropped", spawn, kept=True, spawn=spawn)
    return Passed("dropped", spawn, kept=True, spawn=spawn) if spawn is not None else Passed("call", node)


def _collected(resolver: Resolver, holder: ast.expr, scope: Scope, node: ast.AST, spawn: ast.AST | None) -> Passed:
    """What becomes of the coroutine, task or future that a variable holds."""
    started = spawn or node
    if not isinstance(holder, ast.Name):
        return Passed("dropped", started, kept=True, spawn=spawn) if spawn is not None else Passed("call", node)
    kept = False
    for use in _uses(scope, holder.id):
        for parent, inner in resolver.project.ancestors(use):
            if isinstance(parent, ast.Await):
                return Passed("call", parent, spawn=spawn)
            if isinstance(parent, ast.Call) and inner is not parent.func and _last(parent) in _GATHERS:
                return _gathered(resolver, parent, scope, spawn or parent)
            if isinstance(parent, ast.Call) and inner is not parent.func and _last(parent) in _RUNS:
                return Passed("call", parent, spawn=spawn)
            if isinstance(parent, ast.Call) and inner is parent.func and _last(parent) in _READS:
                return Passed("gather", parent, spawn=spawn or parent)
            if isinstance(parent, ast.Call) and inner is parent.func and _last(parent) == "add_done_callback":
                if _callback_reads(resolver, parent):
                    return Passed("watched", started)
                kept = True
            if isinstance(parent, ast.Return | ast.Yield):
                return Passed("call", started, spawn=spawn)
            if isinstance(parent, ast.For | ast.AsyncFor | ast.comprehension) and (
                _reads(scope) or _awaits(parent, scope)
            ):
                read = _read_in(parent) if isinstance(parent, ast.For | ast.AsyncFor) else None
                return Passed("gather", read or use, spawn=spawn or node)
            if isinstance(parent, ast.Call) and inner is not parent.func and _last(parent) in {"add", "append"}:
                kept = True
            if isinstance(parent, ast.stmt):
                break
    if spawn is None:
        return Passed("call", node)
    return Passed("dropped", spawn, kept=kept, spawn=spawn)


def _awaits(loop: ast.AST, scope: Scope) -> bool:
    target = getattr(loop, "target", None)
    if not isinstance(target, ast.Name):
        return False
    return any(
        isinstance(n, ast.Await) and isinstance(n.value, ast.Name) and n.value.id == target.id
        for n in ast.walk(scope.node)
    )


def _callback_reads(resolver: Resolver, call: ast.Call) -> bool:
    for argument in call.args:
        for function in resolver.functions(argument):
            if _reads(function):
                return True
        if isinstance(argument, ast.Lambda) and any(
            isinstance(n, ast.Attribute) and n.attr in _READS for n in ast.walk(argument)
        ):
            return True
    return False
