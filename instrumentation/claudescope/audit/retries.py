"""Finds what repeats a call: loops, decorators and wrappers."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from claudescope.audit.errors import ALL, caught
from claudescope.audit.handlers import mentions, walk_here
from claudescope.audit.resolve import Resolver
from claudescope.audit.scopes import Scope
from claudescope.audit.sites import Site
from claudescope.audit.steps import Catch, Path, Step

__all__ = ["Retry", "find_retries", "is_retry_loop"]

Wait: TypeAlias = Literal["none", "constant", "grows", "custom"]
_LOOPS: Final = (ast.For, ast.AsyncFor, ast.While)
_RETRYABLE: Final = {408, 409, 429, 500, 502, 503, 504, 529}
_POLLS: Final = frozenset({"retrieve", "list", "results"})


@dataclass(frozen=True)
class Retry:
    """Something that makes a call again.

    Attributes:
        by: What it is.
        kinds: Kinds of errors that it repeats.
        wait: How long it waits between two attempts.
        reads_header: Whether it reads `retry-after`.
        is_job: Whether a job queue repeats the whole job.
    """

    by: str
    kinds: frozenset[str]
    wait: Wait
    reads_header: bool
    is_job: bool = False


def find_retries(resolver: Resolver, site: Site, paths: Iterable[Path]) -> list[Retry]:
    """Everything of the project that repeats a call."""
    found: list[Retry] = []
    seen: set[tuple[Scope, ast.AST]] = set()
    for path in paths:
        for step in path.steps:
            if (step.scope, step.node) in seen or (step.passed is not None and step.passed.use == "dropped"):
                continue
            seen.add((step.scope, step.node))
            if site.method not in _POLLS:
                found += _loops(resolver, site, step, path.catches)
            found += _recursions(resolver, step, path.catches)
            for decorator in step.scope.decorators:
                found += _decorator(resolver, site, decorator)
    if site.options.wrapper is not None:
        found.append(_with_retry(resolver, site, site.options.wrapper))
    return found


def _text(nodes: Iterable[ast.AST], resolver: Resolver, depth: int = 0) -> Iterator[str]:
    """The strings and names in a piece of code, and in the functions of the project that it calls."""
    for node in walk_here(*nodes):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.lower()
        elif isinstance(node, ast.Attribute):
            yield node.attr.lower()
        if isinstance(node, ast.Call) and depth < 2:
            for function in resolver.functions(node.func):
                if isinstance(function.node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield from _text(function.node.body, resolver, depth + 1)


def _reads_header(resolver: Resolver, nodes: Iterable[ast.AST]) -> bool:
    return any("retry-after" in t or "retry_after" in t for t in _text(nodes, resolver))


def _waits(resolver: Resolver, nodes: Iterable[ast.AST], depth: int = 0) -> Wait:
    for node in walk_here(*nodes):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if "sleep" in name.lower() or name in {"wait", "backoff", "pause"}:
            is_constant = bool(node.args) and isinstance(node.args[0], ast.Constant)
            return "none" if is_constant and node.args[0].value == 0 else "constant" if is_constant else "grows"  # type: ignore[attr-defined]
        for function in resolver.functions(node.func) if depth < 2 else ():
            if isinstance(function.node, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = _waits(resolver, function.node.body, depth + 1)
                if inner != "none":
                    return inner
    return "none"


def is_retry_loop(loop: ast.AST) -> bool:
    """Whether a loop repeats one thing until it works, rather than doing many."""
    if isinstance(loop, ast.While):
        return _succeeds(loop) or _waits_for(loop)
    if not isinstance(loop, ast.For | ast.AsyncFor):
        return False
    counted = isinstance(loop.iter, ast.Call) and ast.unparse(loop.iter.func).rpartition(".")[2] in {
        "range",
        "count",
        "repeat",
    }
    listed = isinstance(loop.iter, ast.Tuple | ast.List) and all(
        isinstance(e, ast.Constant) and isinstance(e.value, int | float) for e in loop.iter.elts
    )
    delays = isinstance(loop.target, ast.Name) and loop.target.id in {
        "delay",
        "wait",
        "pause",
        "backoff",
        "attempt",
        "seconds",
        "_",
    }
    return (counted or listed or delays) and _succeeds(loop)


def _waits_for(loop: ast.While) -> bool:
    """Whether the condition is about an answer or a count of attempts that the loop sets."""
    if any(isinstance(n, ast.Attribute) and n.attr in {"status_code", "ok", "is_success"} for n in ast.walk(loop.test)):
        return True
    tested = {n.id for n in ast.walk(loop.test) if isinstance(n, ast.Name)}
    set_here = {
        n.id
        for s in loop.body
        if isinstance(s, ast.Try)
        for n in ast.walk(s)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    return bool(tested & set_here) and not any(isinstance(n, ast.Call) for n in ast.walk(loop.test))


def _succeeds(loop: ast.For | ast.AsyncFor | ast.While) -> bool:
    """Whether the loop ends when the call works: a return or break outside the handlers."""
    todo: list[ast.AST] = list(loop.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Return | ast.Break):
            return True
        if not isinstance(node, ast.ExceptHandler | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            todo.extend(ast.iter_child_nodes(node))
    return False


def _loops(resolver: Resolver, site: Site, step: Step, catches: tuple[Catch, ...]) -> Iterator[Retry]:
    tries: set[ast.AST] = set()
    for parent, child in resolver.project.ancestors(step.node):
        if isinstance(parent, ast.Try):
            tries.add(parent)
        if not isinstance(parent, _LOOPS) or child not in parent.body:
            continue
        yield from _retrying(resolver, site, parent)
        if not is_retry_loop(parent):
            continue
        repeating = [
            c
            for c in catches
            if c.node in tries and c.handler is not None and not c.handling.leaves and c.step.scope is step.scope
        ]
        kinds = frozenset[str]().union(*(c.kinds for c in repeating))
        if site.is_raw and step.node is site.call:
            kinds |= _statuses(parent)
        elif any(c.handling.filters and c.handling.raises for c in repeating):
            kinds -= {"client"}
        if site.is_raw and any(_numbers(parent)):
            kinds = kinds - {"client"} if kinds else kinds
        if kinds:
            header = _reads_header(resolver, [parent])
            wait = _waits(resolver, [*parent.body])
            yield Retry("a loop", kinds, wait, header)
        return


def _numbers(loop: ast.AST) -> Iterator[int]:
    for node in ast.walk(loop):
        if isinstance(node, ast.Compare):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Constant) and isinstance(inner.value, int) and inner.value in _RETRYABLE:
                    yield inner.value


def _statuses(loop: ast.For | ast.AsyncFor | ast.While) -> frozenset[str]:
    """The kinds of answers after which a raw request is sent again."""
    compared = False
    for node in ast.walk(loop):
        if isinstance(node, ast.Attribute) and node.attr in {"status_code", "ok", "is_success", "status", "is_error"}:
            parent_checks = any(
                isinstance(n, ast.If | ast.While | ast.IfExp) and any(x is node for x in ast.walk(n.test))
                for n in ast.walk(loop)
            )
            compared = compared or parent_checks
    if not compared:
        return frozenset()
    if any(_numbers(loop)):
        return frozenset({"rate", "server"})
    leaves = [
        n
        for n in ast.walk(loop)
        if isinstance(n, ast.If) and any(isinstance(x, ast.Raise) for s in n.body for x in walk_here(s))
    ]
    return frozenset({"rate", "server"}) if leaves else ALL - {"connection"}


def _recursions(resolver: Resolver, step: Step, catches: tuple[Catch, ...]) -> Iterator[Retry]:
    """A handler that calls its own function again."""
    for catch in catches:
        if catch.handler is None or catch.step.scope is not step.scope:
            continue
        calls = [n for s in catch.handler.body for n in walk_here(s) if isinstance(n, ast.Call)]
        if any(
            isinstance(c.func, ast.Attribute)
            and c.func.attr == "retry"
            and any(k.arg in {"exc", "countdown"} for k in c.keywords)
            for c in calls
        ):
            filtered = catch.handling.filters
            yield Retry(
                "Celery", catch.kinds - ({"client"} if filtered else set()), "constant", reads_header=True, is_job=True
            )
        if any(step.scope in resolver.functions(c.func) for c in calls):
            body = catch.handler.body
            yield Retry("a recursion", catch.kinds, _waits(resolver, body), _reads_header(resolver, body))


def _call_of(resolver: Resolver, node: ast.AST) -> tuple[str, ast.Call | None]:
    """The library's name behind a decorator, and its arguments."""
    for value in resolver.assigned(node):
        if isinstance(value, ast.Call):
            for name in sorted(resolver.names(value.func)):
                return name, value
            return "", value
    for name in sorted(resolver.names(node)):
        return name, None
    return "", None


def _given(call: ast.Call | None) -> dict[str, ast.expr]:
    return {k.arg: k.value for k in call.keywords if k.arg is not None} if call is not None else {}


def _decorator(resolver: Resolver, site: Site, node: ast.expr) -> Iterator[Retry]:
    name, call = _call_of(resolver, node)
    given = _given(call)
    package, _, last = name.partition(".")
    last = last.rpartition(".")[2]
    if package == "tenacity" and last == "retry":
        yield from _tenacity(resolver, site, given)
    elif package == "backoff" and last == "on_exception" and call is not None:
        yield from _backoff(resolver, site, call, given)
    elif package == "stamina" and last == "retry":
        yield from _stamina(resolver, site, given)
    elif (package, last) in {("retry", "retry"), ("retrying", "retry"), ("retry", "api.retry")}:
        types = (
            [given["exceptions"]]
            if "exceptions" in given
            else call.args[:1]
            if call is not None and package == "retry"
            else []
        )
        waits = [k for k in given if k in {"delay", "backoff", "jitter"} or k.startswith("wait")]
        if "retry_on_exception" not in given:
            yield Retry(
                "a decorator",
                caught(resolver, types, site.library).kinds,
                "grows" if waits else "none",
                reads_header=False,
            )
    elif "autoretry_for" in given:
        wait: Wait = "grows" if "retry_backoff" in given else "constant"
        yield Retry(
            "Celery",
            caught(resolver, [given["autoretry_for"]], site.library).kinds,
            wait,
            reads_header=False,
            is_job=True,
        )


def _retrying(resolver: Resolver, site: Site, loop: ast.AST) -> Iterator[Retry]:
    """`for attempt in Retrying(…)`."""
    if not isinstance(loop, ast.For | ast.AsyncFor):
        return
    name, call = _call_of(resolver, loop.iter)
    last = name.rpartition(".")[2]
    if name.startswith("tenacity") and last in {"Retrying", "AsyncRetrying"}:
        yield from _tenacity(resolver, site, _given(call))
    elif name.startswith("stamina") and last == "retry_context":
        yield from _stamina(resolver, site, _given(call))


def _tenacity(resolver: Resolver, site: Site, given: dict[str, ast.expr]) -> Iterator[Retry]:
    kinds = ALL
    if "retry" in given:
        calls = [n for v in resolver.assigned(given["retry"]) for n in ast.walk(v) if isinstance(n, ast.Call)]
        found = frozenset[str]()
        for call in calls:
            last = ast.unparse(call.func).rpartition(".")[2]
            if last in {"retry_if_exception_type", "retry_if_exception_cause_type"}:
                types = call.args or list(_given(call).values())
                found |= caught(resolver, types, site.library).kinds if types else ALL
            elif last in {
                "retry_if_exception",
                "retry_if_not_exception_type",
                "retry_unless_exception_type",
                "retry_if_exception_message",
            }:
                found |= {"rate", "server", "connection"}
        if calls and not found:
            return  # it repeats because of what was returned
        kinds = found or kinds - {"client"}
    wait: Wait = "none"
    header = False
    if "wait" in given:
        text = " ".join(ast.unparse(v) for v in resolver.assigned(given["wait"]))
        wait = "none" if "wait_none" in text else "constant" if "wait_fixed" in text and "+" not in text else "grows"
        if not any(word in text for word in ("wait_", "Wait")):
            wait = "custom"
        bodies = [
            f.node
            for n in ast.walk(given["wait"])
            if isinstance(n, ast.Name | ast.Attribute)
            for f in resolver.functions(n)
        ]
        bodies += [
            f.parent.node
            for n in ast.walk(given["wait"])
            if isinstance(n, ast.Name)
            for f in resolver.functions(n)
            if f.name == "__init__" and f.parent
        ]
        header = any("retry-after" in ast.unparse(b).lower() or "retry_after" in ast.unparse(b).lower() for b in bodies)
        header = header or "retry_after" in text.lower()
    for name in ("sleep", "before_sleep"):
        for function in resolver.functions(given[name]) if name in given else ():
            header = header or "retry-after" in ast.unparse(function.node).lower()
    yield Retry("a decorator", kinds, wait, header)


def _backoff(resolver: Resolver, site: Site, call: ast.Call, given: dict[str, ast.expr]) -> Iterator[Retry]:
    types = given.get("exception") or (call.args[1] if len(call.args) > 1 else None)
    kinds = caught(resolver, [types] if types is not None else [], site.library).kinds
    if "giveup" in given:
        kinds -= {"client"}
    generator = given.get("wait_gen") or (call.args[0] if call.args else None)
    text = ast.unparse(generator) if generator is not None else ""
    wait: Wait = "constant" if "constant" in text else "grows"
    header = "runtime" in text or any(
        "retry-after" in ast.unparse(f.node).lower()
        for f in (resolver.functions(generator) if generator is not None else ())
    )
    if kinds:
        yield Retry("a decorator", kinds, wait, header)


def _stamina(resolver: Resolver, site: Site, given: dict[str, ast.expr]) -> Iterator[Retry]:
    on = given.get("on")
    functions = resolver.functions(on) if on is not None else ()
    kinds = ALL - {"client"} if functions else caught(resolver, [on] if on is not None else [], site.library).kinds
    header = any("retry-after" in ast.unparse(f.node).lower() for f in functions)
    if kinds:
        yield Retry("a decorator", kinds, "grows", header)


def _with_retry(resolver: Resolver, site: Site, call: ast.Call) -> Retry:
    given = _given(call)
    types = given.get("retry_if_exception_type")
    kinds = caught(resolver, [types], site.library).kinds if types is not None else ALL
    jitter = given.get("wait_exponential_jitter")
    wait: Wait = "none" if isinstance(jitter, ast.Constant) and jitter.value is False else "grows"
    return Retry("with_retry", kinds, wait, reads_header=False)


def uses_name(node: ast.AST, name: str) -> bool:
    """Whether a name is used below a node."""
    return mentions(node, name)
