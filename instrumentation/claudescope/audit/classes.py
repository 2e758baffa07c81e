"""What the attributes of classes and objects of the project may be."""

from __future__ import annotations

import ast

from claudescope.audit import clients
from claudescope.audit.clients import argument
from claudescope.audit.scopes import Scope
from claudescope.audit.values import Client, Constant, Evaluator, Function, Klass, Member, Value, Values

__all__ = ["bases", "in_class", "in_own", "of_instance"]

_NOTHING: Values = frozenset()


def bases(resolver: Evaluator, scope: Scope, seen: frozenset[Scope] = frozenset()) -> list[Scope]:
    """A class and its base classes in the project, itself first."""
    if scope in seen or not isinstance(scope.node, ast.ClassDef):
        return []
    order = [scope]
    for base in scope.node.bases:
        for value in resolver.values(base):
            if isinstance(value, Klass):
                order += bases(resolver, value.scope, seen | {scope})
    return order


def in_own(resolver: Evaluator, scope: Scope, name: str) -> list[Function]:
    """The methods of a name in the body of a class."""
    found = resolver.bound(name, scope) if name in scope.bindings else _NOTHING
    return [value for value in found if isinstance(value, Function)]


def in_class(resolver: Evaluator, scope: Scope, name: str) -> Values:
    """What a name of a class may be."""
    for home in bases(resolver, scope):
        if name in home.bindings:
            return resolver.bound(name, home)
    return _NOTHING


def of_instance(resolver: Evaluator, scope: Scope, name: str) -> Values:
    """What an attribute of an object of a class may be."""
    found: set[Value] = set()
    for home in bases(resolver, scope):
        for expression in home.attributes.get(name, ()):
            found |= resolver.values(expression)
    fields = _fields(resolver, scope, name)
    if any(isinstance(v, Client | Constant) for v in fields):
        found |= fields
    for value in in_class(resolver, scope, name):
        if isinstance(value, Function) and any(
            n.rpartition(".")[2] in {"property", "cached_property"}
            for d in value.scope.decorators
            for n in resolver.names(d)
        ):
            found |= resolver.result(value.scope)
        else:
            found.add(value)
    if not found:
        for client in clients.instance(resolver, Klass(scope), None):
            found |= {Member(client, name)} if isinstance(client, Client) else set()
    known = [v for v in found if isinstance(v, Client) and v.options.seen]
    return frozenset(v for v in found if not (known and isinstance(v, Client) and not v.options.seen))


def _fields(resolver: Evaluator, scope: Scope, name: str) -> Values:
    """What is passed for a field of a dataclass."""
    if "__init__" in scope.bindings or name not in scope.bindings:
        return _NOTHING
    fields = [n for n, bound in scope.bindings.items() if any(b.kind == "annotation" for b in bound)]
    if name not in fields:
        return _NOTHING
    found: set[Value] = set()
    for call in resolver.project.calls.get(scope.name, ()):
        if Klass(scope) in resolver.values(call.func):
            passed = argument(call, name, fields.index(name))
            found |= resolver.values(passed) if passed is not None else _NOTHING
    return frozenset(found)
