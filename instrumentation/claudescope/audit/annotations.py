"""The objects that a type annotation stands for."""

from __future__ import annotations

import ast

from claudescope.audit import clients
from claudescope.audit.scopes import Scope
from claudescope.audit.values import Client, Container, Evaluator, Instance, Value, Values

__all__ = ["annotated"]


def annotated(resolver: Evaluator, node: ast.AST) -> Values:
    """The objects that a type stands for."""
    match node:
        case ast.Constant(value=str() as text):
            try:
                parsed: ast.AST = ast.parse(text, mode="eval").body
            except SyntaxError:
                return frozenset()
            for parent in ast.walk(parsed):
                for child in ast.iter_child_nodes(parent):
                    resolver.project.parents[child] = parent
            resolver.project.parents[parsed] = node
            return annotated(resolver, parsed)
        case ast.BinOp(op=ast.BitOr()):
            return annotated(resolver, node.left) | annotated(resolver, node.right)
        case ast.Subscript():
            return _generic(resolver, node)
        case ast.Name() | ast.Attribute():
            aliased = _alias(resolver, node)
            if aliased is not None:
                return annotated(resolver, aliased)
            return frozenset[Value]().union(*(clients.instance(resolver, v, None) for v in resolver.values(node)))
        case _:
            return frozenset()


def _alias(resolver: Evaluator, node: ast.Name | ast.Attribute) -> ast.AST | None:
    """The type that a name stands for: `Claude = Annotated[AsyncAnthropic, Depends(client)]`."""
    scope: Scope | None = resolver.project.scope_of(node)
    name = node.id if isinstance(node, ast.Name) else node.attr
    while scope is not None and name not in scope.bindings:
        scope = scope.parent
    for binding in scope.bindings[name] if scope is not None else ():
        if binding.kind == "value" and isinstance(binding.node, ast.Subscript | ast.BinOp):
            return binding.node
        if binding.kind == "import":
            base, _, last = binding.target.rpartition(".")
            module = resolver.project.find_module(base, scope.module) if scope is not None and base else None
            for inner in module.scope.bindings.get(last, ()) if module is not None else ():
                if inner.kind == "value" and isinstance(inner.node, ast.Subscript | ast.BinOp):
                    return inner.node
    return None


def _generic(resolver: Evaluator, node: ast.Subscript) -> Values:
    inner = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    base = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
    if base == "Annotated":
        given = [resolver.values(extra) for extra in inner[1:] if isinstance(extra, ast.Call)]
        provided = frozenset(
            v
            for found in given
            for v in found
            if isinstance(v, Client) or (isinstance(v, Instance) and isinstance(v.of, Scope))
        )
        return provided or annotated(resolver, inner[0])
    if base in {
        "Optional",
        "Union",
        "Final",
        "ClassVar",
        "Required",
        "SkipValidation",
        "AbstractAsyncContextManager",
        "AbstractContextManager",
    }:
        return frozenset[Value]().union(*(annotated(resolver, i) for i in inner))
    if base in {"dict", "Dict", "Mapping", "defaultdict"}:
        return frozenset({Container(annotated(resolver, inner[-1]))})
    if base in {
        "list",
        "List",
        "Sequence",
        "Iterator",
        "AsyncIterator",
        "Iterable",
        "Generator",
        "AsyncGenerator",
        "tuple",
        "set",
    }:
        return frozenset({Container(annotated(resolver, inner[0]))})
    return annotated(resolver, node.value)
