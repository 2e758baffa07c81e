"""Works out what an expression is: follows names, imports, attributes, parameters and returns through the project."""

from __future__ import annotations

import ast

from claudescope.audit import clients
from claudescope.audit.index import Binding, Module, Project, Scope
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
_DEPTH = 60
_MANY = 24
_SAME = frozenset({"strip", "rstrip", "lstrip", "lower", "removesuffix", "removeprefix"})
_PASS_ON = frozenset(
    ["builtins.iter", "builtins.list", "builtins.tuple", "builtins.set", "builtins.sorted", "builtins.reversed", "builtins.str", "itertools.cycle", "itertools.chain", "httpx.URL", "yarl.URL", "urllib.request.Request", "urllib.parse.urljoin", "copy.copy", "asyncio.wait_for", "asyncio.create_task", "asyncio.ensure_future", "asyncio.shield", "asyncio.run", "contextlib.closing", "contextlib.aclosing", "contextlib.nullcontext", "typing.cast", "builtins.enumerate"]
)
_PICK = frozenset({"builtins.next", "random.choice", "builtins.anext", "builtins.max", "builtins.min"})


class Resolver:
    """Evaluates expressions on demand and remembers every answer.

    A name has the values of all its bindings, in whatever order they run. What can't be known has no value.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._known: dict[ast.AST, Values] = {}
        self._callers: dict[Scope, tuple[ast.Call, ...]] = {}
        self._depth = 0

    def values(self, node: ast.AST) -> Values:
        """Everything that an expression may be."""
        known = self._known.get(node)
        if known is not None:
            return known
        if self._depth > _DEPTH:
            return _NOTHING
        self._known[node] = _NOTHING  # the answer to a circle
        self._depth += 1
        try:
            found = self._evaluate(node)
        finally:
            self._depth -= 1
        self._known[node] = found if len(found) <= _MANY else frozenset(sorted(found, key=order)[:_MANY])
        return self._known[node]

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
                found += [v.scope for v in self._in_class(target.scope, "__init__") if isinstance(v, Function)]
            elif isinstance(target, Instance) and isinstance(target.of, Scope):
                found += [v.scope for v in self._in_class(target.of, "__call__") if isinstance(v, Function)]
        return tuple(found)

    def callers(self, scope: Scope) -> tuple[ast.Call, ...]:
        """Every call of a function in the project."""
        if scope not in self._callers:
            self._callers[scope] = ()
            name = scope.name
            if name in {"__init__", "__call__"} and scope.parent is not None:
                name = scope.parent.name
            calls = [c for n in (name, *self.project.aliases.get(name, ())) for c in self.project.calls.get(n, ())]
            if scope.name == "__call__":
                calls = [call for named in self.project.calls.values() for call in named]
            self._callers[scope] = tuple(c for c in calls if scope in self.functions(c.func))
        return self._callers[scope]

    def _evaluate(self, node: ast.AST) -> Values:
        match node:
            case ast.Name():
                return self._lookup(node.id, self.project.scope_of(node))
            case ast.Attribute():
                return self._attribute(node)
            case ast.Call():
                return self._call(node)
            case ast.Constant(value=str() | int() | float() | bool() | None):
                return frozenset({Constant(node.value)})
            case ast.JoinedStr():
                return self._joined(
                    [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
                )
            case ast.BinOp(op=ast.Add() | ast.Mod() | ast.Div()):
                return self._joined([node.left, node.right])
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
        return self._elements(self.values(node))

    @staticmethod
    def _elements(found: Values) -> Values:
        inner: set[Value] = set()
        for value in found:
            if isinstance(value, Container):
                inner |= value.elements
            elif isinstance(value, Outcome):
                inner.add(value)
        return frozenset(inner)

    def _enter(self, found: Values) -> Values:
        """What `with` makes of a value."""
        entered: set[Value] = set()
        for value in found:
            if isinstance(value, Container):
                entered |= value.elements
            elif isinstance(value, Instance) and isinstance(value.of, Scope):
                own = self._in_class(value.of, "__enter__") | self._in_class(value.of, "__aenter__")
                results = [self._result(v.scope) for v in own if isinstance(v, Function)]
                entered |= frozenset[Value]().union(*results) if results else {value}
            else:
                entered.add(value)
        return frozenset(entered)

    def _joined(self, parts: list[ast.expr]) -> Values:
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
                return self._bound(name, home)
            home = home.parent
        for star in scope.module.scope.bindings.get("*", ()):
            module = self.project.find_module(star.target.removesuffix(".*"), scope.module)
            if module is not None and module is not scope.module and name in module.scope.bindings:
                return self._bound(name, module.scope)
            if module is None and star.target.partition(".")[0] in {"anthropic", "httpx", "requests"}:
                return frozenset({External(star.target.removesuffix("*") + name)})
        return frozenset({External(f"builtins.{name}")})

    def _bound(self, name: str, scope: Scope) -> Values:
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
                return found if binding.index is None else self._elements(found)
            case "with":
                return self._enter(self.values(binding.node))
            case "iter":
                found = self.elements(binding.node)
                return found if binding.index is None else found | self._elements(found)
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
            return self._bound(name, module.scope)
        return frozenset({External(target)})

    def _attribute(self, node: ast.Attribute) -> Values:
        found: set[Value] = set()
        module = self.project.scope_of(node).module
        for value in self.values(node.value):
            found |= self.member(value, node.attr, module)
        if not found and isinstance(node.value, ast.Attribute | ast.Name):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id
            for stored in self.project.stores.get(f"{owner}.{node.attr}", ()):
                if self.project.connected(self.project.scope_of(stored).module, module):
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
            case Klass() if not value.scope.is_class:
                if name in value.scope.bindings:
                    return self._bound(name, value.scope)
                module = self.project.find_module(f"{value.scope.module.names[0]}.{name}", asker)
                return frozenset({Klass(module.scope)}) if module is not None else _NOTHING
            case Klass():
                return self._in_class(value.scope, name)
            case Instance(of=Scope() as scope):
                return self._of_instance(scope, name)
            case _:
                return _NOTHING

    def _bases(self, scope: Scope, seen: frozenset[Scope] = frozenset()) -> list[Scope]:
        if scope in seen or not isinstance(scope.node, ast.ClassDef):
            return []
        order = [scope]
        for base in scope.node.bases:
            for value in self.values(base):
                if isinstance(value, Klass):
                    order += self._bases(value.scope, seen | {scope})
        return order

    def _in_class(self, scope: Scope, name: str) -> Values:
        for home in self._bases(scope):
            if name in home.bindings:
                return self._bound(name, home)
        return _NOTHING

    def _of_instance(self, scope: Scope, name: str) -> Values:
        found: set[Value] = set()
        for home in self._bases(scope):
            for expression in home.attributes.get(name, ()):
                found |= self.values(expression)
        fields = self._fields(scope, name)
        if any(isinstance(v, Client | Constant) for v in fields):
            found |= fields
        for value in self._in_class(scope, name):
            if isinstance(value, Function) and any(
                n.rpartition(".")[2] in {"property", "cached_property"}
                for d in value.scope.decorators
                for n in self.names(d)
            ):
                found |= self._result(value.scope)
            else:
                found.add(value)
        if not found:
            for client in clients.instance(self, Klass(scope), None):
                found |= {Member(client, name)} if isinstance(client, Client) else set()
        known = [v for v in found if isinstance(v, Client) and v.options.seen]
        return frozenset(v for v in found if not (known and isinstance(v, Client) and not v.options.seen))

    def _fields(self, scope: Scope, name: str) -> Values:
        """What is passed for a field of a dataclass."""
        if "__init__" in scope.bindings or name not in scope.bindings:
            return _NOTHING
        fields = [n for n, bound in scope.bindings.items() if any(b.kind == "annotation" for b in bound)]
        if name not in fields:
            return _NOTHING
        found: set[Value] = set()
        for call in self.project.calls.get(scope.name, ()):
            if Klass(scope) in self.values(call.func):
                passed = argument(call, name, fields.index(name))
                found |= self.values(passed) if passed is not None else _NOTHING
        return frozenset(found)

    def _parameter(self, binding: Binding, scope: Scope) -> Values:
        parameter, position = binding.node, binding.index or 0
        if not isinstance(parameter, ast.arg):
            return _NOTHING
        static = any(n.endswith("staticmethod") for d in scope.decorators for n in self.names(d))
        if scope.is_method and not static:
            if position == 0 and scope.parent is not None:
                return frozenset({Instance(scope.parent)})
            position -= 1
        found: set[Value] = set()
        default = _default(scope, parameter)
        if default is not None:
            found |= self.values(default)
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
        match node:
            case ast.Constant(value=str()):
                try:
                    parsed = ast.parse(node.value, mode="eval").body
                except SyntaxError:
                    return _NOTHING
                for parent in ast.walk(parsed):
                    for child in ast.iter_child_nodes(parent):
                        self.project.parents[child] = parent
                self.project.parents[parsed] = node
                return self.annotation(parsed)
            case ast.BinOp(op=ast.BitOr()):
                return self.annotation(node.left) | self.annotation(node.right)
            case ast.Subscript():
                return self._generic(node)
            case ast.Name() | ast.Attribute():
                aliased = self._alias(node)
                if aliased is not None:
                    return self.annotation(aliased)
                return frozenset[Value]().union(*(clients.instance(self, v, None) for v in self.values(node)))
            case _:
                return _NOTHING

    def _alias(self, node: ast.Name | ast.Attribute) -> ast.AST | None:
        """The type that a name stands for: `Claude = Annotated[AsyncAnthropic, Depends(client)]`."""
        scope: Scope | None = self.project.scope_of(node)
        name = node.id if isinstance(node, ast.Name) else node.attr
        while scope is not None and name not in scope.bindings:
            scope = scope.parent
        for binding in scope.bindings[name] if scope is not None else ():
            if binding.kind == "value" and isinstance(binding.node, ast.Subscript | ast.BinOp):
                return binding.node
            if binding.kind == "import":
                base, _, last = binding.target.rpartition(".")
                module = self.project.find_module(base, scope.module) if scope is not None and base else None
                for inner in module.scope.bindings.get(last, ()) if module is not None else ():
                    if inner.kind == "value" and isinstance(inner.node, ast.Subscript | ast.BinOp):
                        return inner.node
        return None

    def _generic(self, node: ast.Subscript) -> Values:
        inner = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        base = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        if base == "Annotated":
            given = [self.values(extra) for extra in inner[1:] if isinstance(extra, ast.Call)]
            provided = frozenset(
                v
                for found in given
                for v in found
                if isinstance(v, Client) or (isinstance(v, Instance) and isinstance(v.of, Scope))
            )
            return provided or self.annotation(inner[0])
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
            return frozenset[Value]().union(*map(self.annotation, inner))
        if base in {"dict", "Dict", "Mapping", "defaultdict"}:
            return frozenset({Container(self.annotation(inner[-1]))})
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
            return frozenset({Container(self.annotation(inner[0]))})
        return self.annotation(node.value)

    def _subscript(self, node: ast.Subscript) -> Values:
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if isinstance(key, str):
            for table in self.dicts(node.value):
                for name, value in zip(table.keys, table.values, strict=True):
                    if isinstance(name, ast.Constant) and name.value == key:
                        return self.values(value)
        found = self.values(node.value)
        return self._elements(found) | frozenset(v for v in found if isinstance(v, Instance | Outcome))

    def dicts(self, node: ast.AST) -> list[ast.Dict]:
        """The literals that a name of a dict stands for."""
        found: list[ast.Dict] = []
        for value in self.assigned(node):
            if isinstance(value, ast.Dict):
                found.append(value)
            elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict":
                literal = ast.Dict(
                    keys=[ast.Constant(k.arg) for k in value.keywords], values=[k.value for k in value.keywords]
                )
                found.append(literal)
        return found

    def assigned(self, node: ast.AST) -> list[ast.AST]:
        """The expressions that a name is assigned; of anything else, the expression itself."""
        if isinstance(node, ast.Attribute):
            scope: Scope | None = self.project.scope_of(node)
            while scope is not None and not scope.is_class:
                scope = scope.parent
            is_own = scope is not None and isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
            if is_own and scope is not None:
                own: list[ast.AST] = [b.node for b in scope.bindings.get(node.attr, ()) if b.kind == "value"]
                return [*own, *scope.attributes.get(node.attr, ())] or [node]
        if not isinstance(node, ast.Name):
            return [node]
        scope = self.project.scope_of(node)
        while scope is not None and node.id not in scope.bindings:
            scope = scope.parent
        found: list[ast.AST] = []
        for binding in scope.bindings[node.id] if scope is not None else ():
            if binding.kind == "value" and binding.index is None:
                found.append(binding.node)
            elif binding.kind == "import" and scope is not None:
                base, _, name = binding.target.rpartition(".")
                module = self.project.find_module(base, scope.module) if base else None
                found += [b.node for b in module.scope.bindings.get(name, ()) if b.kind == "value"] if module else []
        return found

    def _result(self, scope: Scope) -> Values:
        """What a call of a function of the project returns."""
        if scope.yields:
            yielded = frozenset[Value]().union(*(self.values(y) for y in scope.yields if y is not None))
            return frozenset({Container(yielded)})
        found = frozenset[Value]().union(*map(self.values, scope.returns))
        node = scope.node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            if not any(isinstance(v, Client | Instance | Outcome | Constant) for v in found):
                found |= self.annotation(node.returns)
        return found

    def _call(self, node: ast.Call) -> Values:
        found: set[Value] = set()
        for value in self.values(node.func):
            match value:
                case Function():
                    found |= self._result(value.scope)
                case Klass() if value.scope.is_class:
                    found |= clients.instance(self, value, node)
                case External():
                    found |= self._external(value.name, node)
                case Member():
                    found |= clients.after(self, value, node)
                case Partial(of=Member()):
                    found.add(Outcome(node))
                case _:
                    pass
        if not found and isinstance(node.func, ast.Attribute):
            found |= self._method(node.func, node)
        return frozenset(found)

    def _method(self, called: ast.Attribute, node: ast.Call) -> Values:
        if called.attr in {"enter_context", "enter_async_context"} and node.args:
            return self._enter(self.values(node.args[0]))
        held = self.values(called.value)
        if called.attr in {"get", "pop", "setdefault", "popleft", "get_nowait"}:
            return self._elements(held) | (self.values(node.args[1]) if len(node.args) > 1 else _NOTHING)
        if called.attr in {"values", "items", "copy"}:
            return frozenset(v for v in held if isinstance(v, Container | Instance))
        if called.attr in _SAME:
            return frozenset(v for v in held if isinstance(v, Constant))
        if called.attr == "format":
            return self._joined([called.value, *node.args, *(k.value for k in node.keywords)])
        return frozenset(v for v in held if isinstance(v, Outcome))

    def _external(self, name: str, node: ast.Call) -> Values:
        first = node.args[0] if node.args else None
        if name in {"os.environ.get", "os.getenv"}:
            default = argument(node, "default", 1)
            found = self.values(default) if default is not None else _NOTHING
            return frozenset(Constant(v.value, exact=False) for v in found if isinstance(v, Constant))
        if name == "typing.cast" and first is not None:
            return self.annotation(first)
        if name == "builtins.getattr" and len(node.args) > 1:
            owned, texts = self.values(node.args[0]), self.texts(node.args[1])
            module = self.project.scope_of(node).module
            return frozenset(m for v in owned for t in texts for m in self.member(v, t, module))
        if name in {"dataclasses.field", "pydantic.Field", "attrs.field", "attr.ib"}:
            given, _ = clients.keywords(self, node)
            made = given.get("default_factory") or given.get("factory")
            default = given.get("default") or (first if name == "pydantic.Field" else None)
            if made is not None:
                found = frozenset[Value]().union(
                    *(self._result(scope) for scope in self.functions(made) if scope.name != "__init__")
                )
                return found | frozenset[Value]().union(
                    *(clients.instance(self, v, node) for v in self.values(made) if isinstance(v, External | Klass))
                )
            return self.values(default) if default is not None else _NOTHING
        if name in {"fastapi.Depends", "fastapi.Security", "fastapi.params.Depends"} and first is not None:
            found = frozenset[Value]().union(*(self._result(scope) for scope in self.functions(first)))
            classes = frozenset[Value]().union(
                *(clients.instance(self, v, None) for v in self.values(first) if isinstance(v, Klass))
            )
            return classes or self._enter(found)
        if name == "functools.partial" and first is not None:
            return frozenset(
                Partial(v, node) for v in self.values(first) if isinstance(v, Member | External | Function)
            )
        if name in _PICK and first is not None:
            return self.elements(first)
        if name in _PASS_ON and first is not None:
            return self.values(first)
        return clients.external(self, name, node)


def argument(call: ast.Call, name: str, position: int) -> ast.expr | None:
    """What a call passes for a parameter."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if 0 <= position < len(call.args) and not any(isinstance(a, ast.Starred) for a in call.args[: position + 1]):
        return call.args[position]
    return None


def _default(scope: Scope, parameter: ast.arg) -> ast.expr | None:
    arguments = scope.arguments
    if arguments is None:
        return None
    positional = [*arguments.posonlyargs, *arguments.args]
    if parameter in positional:
        index = positional.index(parameter) - (len(positional) - len(arguments.defaults))
        return arguments.defaults[index] if index >= 0 else None
    return arguments.kw_defaults[arguments.kwonlyargs.index(parameter)]
