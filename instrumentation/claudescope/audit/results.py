"""What a call returns, as far as the source says."""

from __future__ import annotations

import ast

from claudescope.audit import clients
from claudescope.audit.clients import argument
from claudescope.audit.values import (
    Client,
    Constant,
    Container,
    Evaluator,
    External,
    Function,
    Instance,
    Klass,
    Member,
    Outcome,
    Partial,
    Value,
    Values,
)

__all__ = ["call_values"]

_NOTHING: Values = frozenset()
_SAME = frozenset({"strip", "rstrip", "lstrip", "lower", "removesuffix", "removeprefix", "prepare"})
_PASS_ON = frozenset(
    [
        "builtins.iter",
        "builtins.list",
        "builtins.tuple",
        "builtins.set",
        "builtins.sorted",
        "builtins.reversed",
        "builtins.str",
        "itertools.cycle",
        "itertools.chain",
        "httpx.URL",
        "yarl.URL",
        "urllib.request.Request",
        "urllib.parse.urljoin",
        "copy.copy",
        "asyncio.wait_for",
        "asyncio.create_task",
        "asyncio.ensure_future",
        "asyncio.shield",
        "asyncio.run",
        "contextlib.closing",
        "contextlib.aclosing",
        "contextlib.nullcontext",
        "typing.cast",
        "builtins.enumerate",
        "typer.Option",
        "typer.Argument",
    ]
)
_BUILDS = frozenset(
    ["compile", "add_node", "add_edge", "add_sequence", "add_conditional_edges", "set_entry_point", "with_config"]
)
_PICK = frozenset({"builtins.next", "random.choice", "builtins.anext", "builtins.max", "builtins.min"})


def call_values(resolver: Evaluator, node: ast.Call) -> Values:
    """Everything that a call may return."""
    found: set[Value] = set()
    for value in resolver.values(node.func):
        match value:
            case Function():
                found |= resolver.result(value.scope)
            case Klass() if value.scope.is_class:
                found |= clients.instance(resolver, value, node)
            case External():
                found |= _external(resolver, value.name, node)
            case Member():
                found |= clients.after(resolver, value, node)
            case Partial(of=Member()):
                found.add(Outcome(node))
            case _:
                pass
    if not found and isinstance(node.func, ast.Attribute):
        found |= _method(resolver, node.func, node)
    return frozenset(found)


def _method(resolver: Evaluator, called: ast.Attribute, node: ast.Call) -> Values:
    if called.attr in {"enter_context", "enter_async_context"} and node.args:
        return resolver.enter(resolver.values(node.args[0]))
    held = resolver.values(called.value)
    if called.attr in {"get", "pop", "setdefault", "popleft", "get_nowait"}:
        return resolver.items(held) | (resolver.values(node.args[1]) if len(node.args) > 1 else _NOTHING)
    if called.attr in {"values", "items", "copy"}:
        return frozenset(v for v in held if isinstance(v, Container | Instance))
    if called.attr in _SAME:
        return frozenset(v for v in held if isinstance(v, Constant))
    if called.attr in _BUILDS:
        graphs = frozenset(v for v in held if isinstance(v, Instance) and str(v.of).startswith("langgraph."))
        if graphs:
            return graphs
    if called.attr == "format":
        return resolver.joined([called.value, *node.args, *(k.value for k in node.keywords)])
    for keyword in node.keywords:  # index.as_query_engine(llm=…)
        if keyword.arg in {"llm", "model"} and not any(isinstance(v, Klass) for v in held):
            found = frozenset(
                v
                for v in resolver.values(keyword.value)
                if isinstance(v, Client) and v.library in {"langchain", "llama-index"}
            )
            if found:
                return found
    return frozenset(v for v in held if isinstance(v, Outcome))


def _external(resolver: Evaluator, name: str, node: ast.Call) -> Values:
    first = node.args[0] if node.args else None
    if name in {"os.environ.get", "os.getenv"}:
        default = argument(node, "default", 1)
        found = resolver.values(default) if default is not None else _NOTHING
        return frozenset(Constant(v.value, exact=False) for v in found if isinstance(v, Constant))
    if name == "importlib.import_module" and first is not None:
        return frozenset(External(text) for text in resolver.texts(first))
    if name == "typing.cast" and first is not None:
        return resolver.annotation(first)
    if name == "builtins.getattr" and len(node.args) > 1:
        owned, texts = resolver.values(node.args[0]), resolver.texts(node.args[1])
        module = resolver.project.scope_of(node).module
        return frozenset(m for v in owned for t in texts for m in resolver.member(v, t, module))
    if name in {"dataclasses.field", "pydantic.Field", "attrs.field", "attr.ib"}:
        given, _ = clients.keywords(resolver, node)
        made = given.get("default_factory") or given.get("factory")
        default = given.get("default") or (first if name == "pydantic.Field" else None)
        if made is not None:
            found = frozenset[Value]().union(
                *(resolver.result(scope) for scope in resolver.functions(made) if scope.name != "__init__")
            )
            return found | frozenset[Value]().union(
                *(clients.instance(resolver, v, node) for v in resolver.values(made) if isinstance(v, External | Klass))
            )
        return resolver.values(default) if default is not None else _NOTHING
    if name in {"fastapi.Depends", "fastapi.Security", "fastapi.params.Depends"} and first is not None:
        found = frozenset[Value]().union(*(resolver.result(scope) for scope in resolver.functions(first)))
        classes = frozenset[Value]().union(
            *(clients.instance(resolver, v, None) for v in resolver.values(first) if isinstance(v, Klass))
        )
        return classes or resolver.enter(found)
    if name == "functools.partial" and first is not None:
        return frozenset(
            Partial(v, node) for v in resolver.values(first) if isinstance(v, Member | External | Function)
        )
    if name in _PICK and first is not None:
        return resolver.elements(first)
    if name in _PASS_ON and first is not None:
        return resolver.values(first)
    return clients.external(resolver, name, node)
