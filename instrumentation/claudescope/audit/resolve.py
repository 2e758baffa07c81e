"""Works out what an expression is: follows names, imports, attributes, parameters and returns through the project."""

from __future__ import annotations

import ast

from claudescope.audit import classes, literals
from claudescope.audit.annotations import annotated
from claudescope.audit.clients import argument
from claudescope.audit.index import Project, stored_as
from claudescope.audit.memo import Memo
from claudescope.audit.results import call_values
from claudescope.audit.scopes import Binding, Module, Scope
from claudescope.audit.values import (
    Client,
    Constant,
    Container,
    External,
    Function,
    Instance,
    Klass,
    Member,
    Outcome,
    Partial,
    Value,
    Values,
    order,
)

__all__ = ["Resolver"]

_NOTHING: Values = frozenset()
_DEPTH = 1000  # a chain of names through a large project is hundreds long; the engine makes room for it
_MANY = 24


class Resolver:
    """Evaluates expressions on demand and remembers every answer.

    A name has the values of all its bindings, in whatever order they run. What can't be known has no value.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._known = Memo(_DEPTH)

    def values(self, node: ast.AST) -> Values:
        """Everything that an expression may be."""
        return self._known.ask(node, lambda: self._first(self._evaluate(node)), _NOTHING)

    @staticmethod
    def _first(found: Values) -> Values:
        return found if len(found) <= _MANY else frozenset(sorted(found, key=order)[:_MANY])

    def names(self, node: ast.AST) -> frozenset[str]:
        """The dotted names of other libraries that an expression may be, or be an object of."""
        found = self.values(node)
        return frozenset(
            [value.name for value in found if isinstance(value, External)]
            + [value.of for value in found if isinstance(value, Instance) and isinstance(value.of, str)]
        )

    def texts(self, node: ast.AST) -> frozenset[str]:
        """The strings that an expression may be; of a formatted one, the part that is known."""
        found = self.values(node)
        return frozenset(v.value for v in found if isinstance(v, Constant) and isinstance(v.value, str))

    def functions(self, node: ast.AST) -> tuple[Scope, ...]:
        """The functions of the project that an expression may be."""
        found: list[Scope] = []
        for value in self.values(node):
            target = value.of if isinstance(value, Partial) else value
            if isinstance(target, Function):
                found.append(target.scope)
            elif isinstance(target, Klass):
                found += [v.scope for v in classes.in_class(self, target.scope, "__init__") if isinstance(v, Function)]
            elif isinstance(target, Instance) and isinstance(target.of, Scope):
                found += [v.scope for v in classes.in_class(self, target.of, "__call__") if isinstance(v, Function)]
        return tuple(found)

    def callers(self, scope: Scope) -> tuple[ast.Call, ...]:
        """Every call of a function in the project."""
        return self._known.ask(scope, lambda: self._find_callers(scope), ())

    def _find_callers(self, scope: Scope) -> tuple[ast.Call, ...]:
        name = scope.name
        if name in {"__init__", "__call__"} and scope.parent is not None:
            name = scope.parent.name
        names = (name, *self.project.aliases.get(name, ()), "")
        calls = [call for called in names for call in self.project.calls.get(called, ())]
        family = {scope}
        if scope.is_method and scope.parent is not None:  # a call through a base class may mean this one
            family |= {
                b.scope for base in classes.bases(self, scope.parent) for b in classes.in_own(self, base, scope.name)
            }
        if scope.name == "__call__":
            held = self.project.variables
            calls = [c for called, named in self.project.calls.items() if not called or called in held for c in named]
        return tuple(c for c in calls if family & set(self.functions(c.func)))

    def _evaluate(self, node: ast.AST) -> Values:
        match node:
            case ast.Name():
                return self._lookup(node.id, self.project.scope_of(node))
            case ast.Attribute():
                return self._attribute(node)
            case ast.Call():
                return call_values(self, node)
            case ast.Constant(value=(str() | int() | float() | None) as constant):
                return frozenset({Constant(constant)})
            case ast.JoinedStr():
                return self.joined(
                    [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
                )
            case ast.BinOp(op=ast.Add() | ast.Mod() | ast.Div()):
                return self.joined([node.left, node.right])
            case ast.BinOp(op=ast.BitOr()):
                both = self.values(node.left) | self.values(node.right)
                chains = frozenset(v for v in both if isinstance(v, Client))
                return chains or both
            case ast.Await() | ast.NamedExpr() | ast.Starred() | ast.YieldFrom():
                return self.values(node.value)
            case ast.IfExp():
                return self.values(node.body) | self.values(node.orelse)
            case ast.BoolOp():
                return frozenset[Value]().union(*map(self.values, node.values))
            case ast.Subscript():
                return self._subscript(node)
            case ast.List() | ast.Tuple() | ast.Set():
                return self._container(
                    [self.elements(e.value) if isinstance(e, ast.Starred) else self.values(e) for e in node.elts]
                )
            case ast.Dict():
                return self._container([self.values(value) for value in node.values])
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self._container([self.values(node.elt)])
            case ast.DictComp():
                return self._container([self.values(node.value)])
            case ast.Lambda():
                return frozenset({Function(self.project.scopes[node])})
            case _:
                return _NOTHING

    @staticmethod
    def _container(parts: list[Values]) -> Values:
        return frozenset({Container(frozenset[Value]().union(*parts))})

    def elements(self, node: ast.AST) -> Values:
        """What iterating over an expression yields."""
        return self.items(self.values(node))

    def items(self, found: Values) -> Values:
        """What iterating over values yields."""
        inner: set[Value] = set()
        for value in found:
            if isinstance(value, Container):
                inner |= value.elements
            elif isinstance(value, Outcome):
                inner.add(value)
        return frozenset(inner)

    def enter(self, found: Values) -> Values:
        """What `with` makes of a value."""
        entered: set[Value] = set()
        for value in found:
            if isinstance(value, Container):
                entered |= value.elements
            elif isinstance(value, Instance) and isinstance(value.of, Scope):
                own = classes.in_class(self, value.of, "__enter__") | classes.in_class(self, value.of, "__aenter__")
                results = [self.result(v.scope) for v in own if isinstance(v, Function)]
                entered |= frozenset[Value]().union(*results) if results else {value}
            else:
                entered.add(value)
        return frozenset(entered)

    def joined(self, parts: list[ast.expr]) -> Values:
        """The first strings that a concatenation or a format may give."""
        texts = {""}
        exact = True
        for part in parts:
            found = [v for v in self.values(part) if isinstance(v, Constant) and v.value is not None]
            exact = exact and bool(found) and all(v.exact for v in found)
            if found:
                texts = {text + str(v.value) for text in texts for v in found}
            if len(texts) > _MANY:
                break
        return frozenset(Constant(text, exact) for text in texts if text)

    def _lookup(self, name: str, scope: Scope) -> Values:
        home: Scope | None = scope
        while home is not None:
            if name in home.bindings and (home is scope or not home.is_class):
                return self.bound(name, home)
            home = home.parent
        for star in scope.module.scope.bindings.get("*", ()):
            module = self.project.find_module(star.target.removesuffix(".*"), scope.module)
            if module is not None and module is not scope.module and name in module.scope.bindings:
                return self.bound(name, module.scope)
            if module is None and star.target.partition(".")[0] in {"anthropic", "httpx", "requests"}:
                return frozenset({External(star.target.removesuffix("*") + name)})
        return frozenset({External(f"builtins.{name}")})

    def bound(self, name: str, scope: Scope) -> Values:
        """What a name of a scope may be."""
        found: set[Value] = set()
        annotations: list[Binding] = []
        for binding in scope.bindings.get(name, ()):
            if binding.kind == "annotation":
                annotations.append(binding)
            else:
                found |= self._binding(binding, scope)
        for binding in annotations:
            if not any(isinstance(v, Client | Instance) for v in found):
                found |= self.annotation(binding.node)
        return frozenset(found)

    def _binding(self, binding: Binding, scope: Scope) -> Values:
        match binding.kind:
            case "value":
                found = self.values(binding.node)
                return found if binding.position is None else self.items(found)
            case "with":
                return self.enter(self.values(binding.node))
            case "iter":
                found = self.elements(binding.node)
                return found if binding.position is None else found | self.items(found)
            case "element":
                return frozenset({Container(self.values(binding.node))})
            case "import":
                return self._imported(binding.target, scope.module)
            case "scope":
                inner = self.project.scopes[binding.node]
                return frozenset({Klass(inner) if inner.is_class else Function(inner)})
            case "parameter":
                return self._parameter(binding, scope)
            case "annotation":
                return self.annotation(binding.node)

    def _imported(self, target: str, asker: Module) -> Values:
        module = self.project.find_module(target, asker)
        if module is not None and module is not asker:
            return frozenset({Klass(module.scope)})
        base, _, name = target.rpartition(".")
        module = self.project.find_module(base, asker) if base else None
        if module is not None and module is not asker and name in module.scope.bindings:
            return self.bound(name, module.scope)
        return frozenset({External(target)})

    def _attribute(self, node: ast.Attribute) -> Values:
        found: set[Value] = set()
        module = self.project.scope_of(node).module
        for value in self.values(node.value):
            found |= self.member(value, node.attr, module)
        if all(isinstance(value, External) for value in found):
            found |= self._stored(node.value, node.attr, module)
        if not found and isinstance(node.value, ast.Name) and node.attr in {"model", "model_name", "model_id"}:
            found |= literals.option(self, node.attr, self.project.scope_of(node))
        return frozenset(found)

    def _stored(self, owner: ast.expr, name: str, asker: Module) -> Values:
        """What connected modules keep under a name in an object of a framework: `app.state.client = …`."""
        if not isinstance(owner, ast.Attribute | ast.Name):
            return _NOTHING
        found: set[Value] = set()
        for stored in self.project.stores.get(stored_as(owner, name), ()):
            if self.project.connected(self.project.scope_of(stored).module, asker):
                found |= self.values(stored)
        return frozenset(found)

    def member(self, value: Value, name: str, asker: Module) -> Values:
        """What an attribute of a value may be."""
        match value:
            case External():
                return self._imported(f"{value.name}.{name}", asker)
            case Client():
                return frozenset({Member(value, name)})
            case Member():
                return frozenset({Member(value.client, f"{value.path}.{name}")})
            case Outcome():
                return frozenset({value})
            case Constant() if name == "value":
                return frozenset({value})  # of an enum
            case Klass() if not value.scope.is_class:
                if name in value.scope.bindings:
                    return self.bound(name, value.scope)
                module = self.project.find_module(f"{value.scope.module.names[0]}.{name}", asker)
                return frozenset({Klass(module.scope)}) if module is not None else _NOTHING
            case Klass():
                return classes.in_class(self, value.scope, name)
            case Instance(of=Scope() as scope):
                return classes.of_instance(self, scope, name)
            case _:
                return _NOTHING

    def _parameter(self, binding: Binding, scope: Scope) -> Values:
        parameter, position = binding.node, binding.position or 0
        if not isinstance(parameter, ast.arg):
            return _NOTHING
        static = any(n.endswith("staticmethod") for d in scope.decorators for n in self.names(d))
        if scope.is_method and not static:
            if position == 0 and scope.parent is not None:
                return frozenset({Instance(scope.parent)})
            position -= 1
        found: set[Value] = set()
        default = literals.default_of(scope, parameter)
        if default is not None:
            found |= self.values(default)
        if parameter.arg in {"model", "model_name"} and scope.decorators:
            found |= literals.option(self, parameter.arg, scope)
        for call in self.callers(scope):
            passed = argument(call, parameter.arg, position)
            if passed is not None:
                found |= self.values(passed)
        known = any(isinstance(v, Client) for v in found)
        if parameter.annotation is not None and not known:
            found |= self.annotation(parameter.annotation)
        return frozenset(found)

    def annotation(self, node: ast.AST) -> Values:
        """The objects that a type stands for."""
        return annotated(self, node)

    def _subscript(self, node: ast.Subscript) -> Values:
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if isinstance(key, str):
            for table in self.dicts(node.value):
                for name, value in zip(table.keys, table.values, strict=True):
                    if isinstance(name, ast.Constant) and name.value == key:
                        return self.values(value)
            kept = self._stored(node.value, key, self.project.scope_of(node).module)
            if any(isinstance(v, Client | Instance) for v in kept):
                return kept
        found = self.values(node.value)
        return self.items(found) | frozenset(v for v in found if isinstance(v, Instance | Outcome))

    def dicts(self, node: ast.AST) -> list[ast.Dict]:
        """The literals that a name of a dict stands for."""
        return literals.dicts(self, node)

    def assigned(self, node: ast.AST) -> list[ast.AST]:
        """The expressions that a name is assigned; of anything else, the expression itself."""
        return literals.assigned(self, node)

    def result(self, scope: Scope) -> Values:
        """What a call of a function of the project returns."""
        if scope.yields:
            yielded = frozenset[Value]().union(*(self.values(y) for y in scope.yields if y is not None))
            return frozenset({Container(yielded)})
        found = frozenset[Value]().union(*map(self.values, scope.returns))
        node = scope.node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            if not any(isinstance(v, Client | Outcome) for v in found):
                found |= self.annotation(node.returns)
        return found
