"""The objects that a type annotation stands for."""

from __future__ import annotations

import ast

from claudescope.audit import clients
from claudescope.audit.scopes import Scope
from claudescope.audit.values import Client, Container, Evaluator, Instance, Value, Values

__all__ = ["annotated"]


def annotated(resolver: Evaluator, node: ast.AST, aliases: frozenset[ast.AST] = frozenset()) -> Values:
    """The objects that a type stands for.

    Args:
        resolver: Knows what names stand for.
        node: The type.
        aliases: The aliases that it is part of. One that refers to itself stands for nothing more.
    """
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
            return annotated(resolver, parsed, aliases)
        case ast.BinOp(op=ast.BitOr()):
            return annotated(resolver, node.left, aliases) | annotated(resolver, node.right, aliases)
        case ast.Subscript():
            return _generic(resolver, node, aliases)
        case ast.Name() | ast.Attribute():
            aliased = _alias(resolver, node)
            if aliased is not None:
                return frozenset() if aliased in aliases else annotated(resolver, aliased, aliases | {aliased})
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


def _generic(resolver: Evaluator, node: ast.Subscript, aliases: frozenset[ast.AST]) -> Values:
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
        return provided or annotated(resolver, inner[0], aliases)
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
        return frozenset[Value]().union(*(annotated(resolver, i, aliases) for i in inner))
    if base in {"dict", "Dict", "Mapping", "defaultdict"}:
        return frozenset({Container(annotated(resolver, inner[-1], aliases))})
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
        return frozenset({Container(annotated(resolver, inner[0], aliases))})
    return annotated(resolver, node.value, aliases)
