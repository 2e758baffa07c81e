"""Rules about tasks, threads, timeouts and event loops."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from claudescope.audit.case import Case
from claudescope.audit.rules.rule import Hit
from claudescope.audit.steps import Path, Step

__all__ = ["blocking_call_in_async", "fire_and_forget", "no_timeout", "unbounded_concurrency"]

_GUARD = re.compile(r"sem(aphore)?\b|semaphore|limit|throttl|slots?\b|bucket|_sem\b|gate", re.IGNORECASE)
_TIMERS = re.compile(r"(^|\.)(timeout|timeout_at|fail_after|move_on_after|wait_for)$")
_BATCHES = re.compile(r"batched|chunk|grouper|batch", re.IGNORECASE)
_WORKERS = re.compile(r"worker|concurren|parallel", re.IGNORECASE)
_FEW = 12


def fire_and_forget(case: Case) -> Iterator[Hit]:
    """Report a task, thread or background task whose errors nobody sees."""
    dropped = [path for path in case.reach if path.end == "dropped"]
    if not dropped:
        return
    catching = [c for c in case.catches if c.origin != "gather"]
    loud = [c for c in catching if not case.is_silent(c)]
    if loud and (all(path.end == "caught" or path.catches for path in case.paths)):
        return
    kind = _spawner(dropped[0].steps[-1])
    yield Hit(
        "fire-and-forget",
        case.site.line,
        "high",
        f"{case.site.name} runs in {kind} whose errors nobody sees. Keep it, and await it or read its result.",
    )


def _spawner(step: Step) -> str:
    node = step.passed.spawn if step.passed is not None else None
    text = ast.unparse(node.func) if isinstance(node, ast.Call) else "a task"
    return f"a task ({text})"


def unbounded_concurrency(case: Case) -> Iterator[Hit]:
    """Report as many calls at once as a collection has items."""
    site = case.site
    found = site.method.startswith("abatch") and not _mentions_limit(case)
    for path in case.reach:
        found = found or _is_unbounded(case, path)
    if found:
        yield Hit(
            "unbounded-concurrency",
            site.line,
            "medium",
            f"{site.name} starts once for every item of a collection, all at the same time: expect rate limits."
            " Bound it with a semaphore, or use message batches.",
        )


def _mentions_limit(case: Case) -> bool:
    return any(
        (isinstance(n, ast.keyword) and n.arg == "max_concurrency")
        or (isinstance(n, ast.Constant) and n.value == "max_concurrency")
        for n in ast.walk(case.site.scope.module.tree)
    )


def _is_unbounded(case: Case, path: Path) -> bool:
    for index, step in enumerate(path.steps):
        passed = step.passed
        if (
            passed is None
            or passed.source is None
            or passed.use not in {"gather", "dropped", "call", "thread", "watched"}
        ):
            continue
        if passed.use in {"call", "thread"} and passed.spawn is None:
            continue
        spawn = passed.spawn
        if isinstance(spawn, ast.Call) and ast.unparse(spawn.func).endswith((".submit", ".map", "add_task")):
            continue
        if _is_guarded(case, path.steps[:index], passed.source):
            continue
        iterated = _iterated(case, passed.source, step)
        if iterated is not None and not _is_few(case, iterated):
            return True
    return False


def _is_guarded(case: Case, inner: tuple[Step, ...], source: ast.AST) -> bool:
    """Whether a semaphore or a limiter stands between the tasks and the call."""
    nodes = [s.node for s in inner] or [case.site.call]
    for node in [*nodes, source, case.site.call]:
        for parent, _ in case.resolver.project.ancestors(node):
            if isinstance(parent, ast.With | ast.AsyncWith) and any(
                _limits(case, i.context_expr) for i in parent.items
            ):
                return True
        scope = case.resolver.project.scope_of(node)
        for inner_node in ast.walk(scope.node) if scope.is_function else ():
            if isinstance(inner_node, ast.Attribute) and inner_node.attr == "acquire":
                return True
    return any(_GUARD.search(ast.unparse(d)) for s in inner for d in s.scope.decorators)


def _limits(case: Case, node: ast.expr) -> bool:
    names = case.resolver.names(node)
    return bool(_GUARD.search(ast.unparse(node))) or any("Semaphore" in n or "Limiter" in n for n in names)


def _iterated(case: Case, source: ast.AST, step: Step) -> ast.expr | None:
    """The collection for each of whose items a task starts."""
    for parent, child in case.resolver.project.ancestors(source):
        if isinstance(parent, ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp):
            return parent.generators[0].iter
        if isinstance(parent, ast.For | ast.AsyncFor) and child in parent.body:
            return parent.iter
        if (
            isinstance(parent, ast.Call)
            and isinstance(parent.func, ast.Name)
            and parent.func.id == "map"
            and len(parent.args) > 1
        ):
            return parent.args[1]
    del step
    return None


def _is_few(case: Case, node: ast.expr) -> bool:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return True
    text = ast.unparse(node)
    if isinstance(node, ast.Call):
        name = text.partition("(")[0].rpartition(".")[2]
        if name in {"items", "values", "keys"} and isinstance(node.func, ast.Attribute):
            return _is_few(case, node.func.value)
        if name in {"enumerate", "zip", "sorted", "list", "reversed"} and node.args:
            return any(_is_few(case, a) for a in node.args)
        if name == "range":
            return _WORKERS.search(text) is not None or all(_is_small(case, a) for a in node.args)
        return name == "islice" or _BATCHES.search(name) is not None
    if _WORKERS.search(text):
        return True
    for value in case.resolver.assigned(node):
        if isinstance(value, ast.List | ast.Tuple | ast.Set) and 0 < len(value.elts) <= _FEW:
            return not any(isinstance(e, ast.Starred) for e in value.elts) and not _grows(case, node)
        if isinstance(value, ast.Dict) and 0 < len(value.keys) <= _FEW:
            return True
        if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Slice):
            return True
        if isinstance(value, ast.Call) and value is not node and _is_few(case, value):
            return True
    for parent, _ in case.resolver.project.ancestors(node):
        if (
            isinstance(parent, ast.For | ast.AsyncFor)
            and isinstance(parent.target, ast.Name)
            and parent.target.id == text
        ):
            return _BATCHES.search(ast.unparse(parent.iter)) is not None
    return False


def _grows(case: Case, node: ast.expr) -> bool:
    scope = case.resolver.project.scope_of(node)
    return isinstance(node, ast.Name) and any(b.kind == "element" for b in scope.bindings.get(node.id, ()))


def _is_small(case: Case, node: ast.expr) -> bool:
    numbers = [getattr(v, "value", None) for v in case.resolver.values(node)]
    return bool(numbers) and all(isinstance(n, int) and n <= _FEW for n in numbers)


def blocking_call_in_async(case: Case) -> Iterator[Hit]:
    """Report a synchronous call on the event loop."""
    if case.site.is_async or case.site.in_thread:
        return
    for path in case.reach:
        for step in path.steps:
            if step.passed is not None and step.passed.use != "call":
                break
            if step.scope.is_async:
                yield Hit(
                    "blocking-call-in-async",
                    case.site.line,
                    "high" if step is path.steps[0] else "medium",
                    f"{case.site.name} blocks the event loop in {step.scope.name}: every other request waits."
                    " Use the async client, or asyncio.to_thread.",
                )
                return
            if not step.scope.is_function:
                break


def no_timeout(case: Case) -> Iterator[Hit]:
    """Report a call that may keep a user waiting for minutes."""
    site = case.site
    if site.options.timeout != "unset" or site.library in {
        "aiohttp",
        "claude-agent-sdk",
        "bedrock-runtime",
        "http.client",
    }:
        return
    anywhere = site.library in {"requests", "urllib"}
    if (site.is_stream and not anywhere) or (not anywhere and not case.in_request) or _has_timeout(case):
        return
    takes = "10 minutes" if site.library not in {"requests", "urllib"} else "for ever"
    yield Hit(
        "no-timeout",
        site.line,
        "high" if case.in_request else "medium",
        f"{site.name} has no timeout: it may wait {takes}. Pass timeout= to the client or to the call.",
    )


def _has_timeout(case: Case) -> bool:
    site = case.site
    given = site.arguments.get("timeout") or site.arguments.get("request_timeout")
    if given is not None:
        return not (isinstance(given, ast.Constant) and given.value is None)
    if (
        any(k.arg is None for k in site.call.keywords)
        and not any(k.arg == "json" for k in site.call.keywords)
        and site.is_raw
    ):
        return True
    if site.library == "urllib" and len(site.call.args) > 2:
        return True
    settings = site.arguments.get("model_settings") or site.arguments.get("config")
    if settings is not None and "timeout" in ast.unparse(settings):
        return True
    nodes = [site.call, *(step.node for path in case.reach for step in path.steps)]
    for node in nodes:
        for parent, child in case.resolver.project.ancestors(node):
            if isinstance(parent, ast.Call) and child is not parent.func and _TIMERS.search(ast.unparse(parent.func)):
                return True
            if isinstance(parent, ast.With | ast.AsyncWith) and any(
                isinstance(i.context_expr, ast.Call) and _TIMERS.search(ast.unparse(i.context_expr.func))
                for i in parent.items
            ):
                return True
        if isinstance(node, ast.Call) and _TIMERS.search(ast.unparse(node.func)):
            return True
    return False
