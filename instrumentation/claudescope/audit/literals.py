"""What stands in the source for a name: its literals, its defaults and its options on the command line."""

from __future__ import annotations

import ast

from claudescope.audit.scopes import Scope
from claudescope.audit.values import Evaluator, Value, Values

__all__ = ["assigned", "default_of", "dicts", "option"]


def dicts(resolver: Evaluator, node: ast.AST) -> list[ast.Dict]:
    """The literals that a name of a dict stands for."""
    found: list[ast.Dict] = []
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        for table in dicts(resolver, node.value):
            for key, inner in zip(table.keys, table.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == node.slice.value and isinstance(inner, ast.Dict):
                    found.append(inner)
    for value in assigned(resolver, node):
        if isinstance(value, ast.Dict):
            found.append(value)
        elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict":
            literal = ast.Dict(
                keys=[ast.Constant(k.arg) for k in value.keywords], values=[k.value for k in value.keywords]
            )
            found.append(literal)
    return found


def assigned(resolver: Evaluator, node: ast.AST) -> list[ast.AST]:
    """The expressions that a name is assigned; of anything else, the expression itself."""
    if isinstance(node, ast.Attribute):
        scope: Scope | None = resolver.project.scope_of(node)
        while scope is not None and not scope.is_class:
            scope = scope.parent
        is_own = scope is not None and isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
        if is_own and scope is not None:
            own: list[ast.AST] = [b.node for b in scope.bindings.get(node.attr, ()) if b.kind == "value"]
            return [*own, *scope.attributes.get(node.attr, ())] or [node]
    if not isinstance(node, ast.Name):
        return [node]
    scope = resolver.project.scope_of(node)
    while scope is not None and node.id not in scope.bindings:
        scope = scope.parent
    found: list[ast.AST] = []
    for binding in scope.bindings[node.id] if scope is not None else ():
        if binding.kind == "value" and binding.position is None:
            found.append(binding.node)
        elif binding.kind == "import" and scope is not None:
            base, _, name = binding.target.rpartition(".")
            module = resolver.project.find_module(base, scope.module) if base else None
            found += [b.node for b in module.scope.bindings.get(name, ()) if b.kind == "value"] if module else []
    return found


def default_of(scope: Scope, parameter: ast.arg) -> ast.expr | None:
    """The default of a parameter."""
    arguments = scope.arguments
    if arguments is None:
        return None
    positional = [*arguments.posonlyargs, *arguments.args]
    if parameter in positional:
        index = positional.index(parameter) - (len(positional) - len(arguments.defaults))
        return arguments.defaults[index] if index >= 0 else None
    return arguments.kw_defaults[arguments.kwonlyargs.index(parameter)]


def option(resolver: Evaluator, name: str, scope: Scope) -> Values:
    """The default of an option of the command line, as argparse and click declare it in the same module."""
    found: frozenset[Value] = frozenset()
    for declares in ("add_argument", "option"):
        for call in resolver.project.calls.get(declares, ()):
            names = {str(a.value).lstrip("-").replace("-", "_") for a in call.args if isinstance(a, ast.Constant)}
            if name in names and resolver.project.scope_of(call).module is scope.module:
                for keyword in call.keywords:
                    found |= resolver.values(keyword.value) if keyword.arg == "default" else frozenset()
    return found
