"""The index of a project: its modules, scopes, names, classes and calls. Built from syntax trees; nothing is run."""

from __future__ import annotations

import ast
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Final

from claudescope.audit.model import SourceFile
from claudescope.audit.scopes import Binding, FunctionNode, Kind, Module, Scope

__all__ = ["Project", "stored_as"]

_EXTERNAL = frozenset(
    [
        "aiohttp",
        "anthropic",
        "backoff",
        "boto3",
        "celery",
        "django",
        "fastapi",
        "flask",
        "httpx",
        "httpx2",
        "instructor",
        "langchain",
        "litellm",
        "llama_index",
        "pydantic_ai",
        "requests",
        "rq",
        "stamina",
        "starlette",
        "tenacity",
        "urllib3",
        "claude_agent_sdk",
        "openai",
    ]
)
"""Libraries that a file of the project with the same name, such as `providers/anthropic.py`, does not replace."""


class Project:
    """Every module of a tree, and where each name is called and used."""

    def __init__(self) -> None:
        self.modules: list[Module] = []
        self.parents: dict[ast.AST, ast.AST] = {}
        self.scopes: dict[ast.AST, Scope] = {}
        self.calls: dict[str, list[ast.Call]] = defaultdict(list)  # by the last part of what is called
        self.references: dict[str, list[ast.expr]] = defaultdict(list)  # uses of a name that are no call
        self.stores: dict[str, list[ast.expr]] = defaultdict(list)  # `anything.state.name = …`, by the last two parts
        self.aliases: dict[str, set[str]] = defaultdict(set)  # other names that imports give
        self._headers: set[ast.AST] = set()  # decorators, defaults and annotations belong to the enclosing scope
        self._by_name: dict[str, list[Module]] = defaultdict(list)
        self._reachable: dict[Module, set[Module]] = {}
        self.errors: list[tuple[SourceFile, int, str]] = []
        self.packages: set[str] = set()

    def add(self, file: SourceFile) -> None:
        """Parse and index one file. A file that does not parse is kept in `errors`."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(file.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", None) or 1
            self.errors.append((file, line, getattr(error, "msg", None) or str(error) or type(error).__name__))
            return
        parts = file.path.removesuffix(".py").removesuffix(".pyi").removesuffix(".ipynb").split("/")
        if parts[-1] == "__init__":
            parts.pop()
            self.packages.add("/".join(parts))
        names = tuple(".".join(parts[start:]) for start in range(len(parts))) or ("",)
        module = Module(file, tree, names)
        self.modules.append(module)
        for name in names:
            self._by_name[name].append(module)
        _Indexer(self, module).run()

    def find_module(self, name: str, asker: Module) -> Module | None:
        """The module of the project that an import of `name` means, or None for one of another library."""
        library = name.partition(".")[0]
        if library in _EXTERNAL and not asker.file.path.startswith((f"{library}/", f"src/{library}/")):
            return None
        found = self._by_name.get(name, ())
        return max(found, key=lambda module: _shared_folders(module.file.path, asker.file.path), default=None)

    def scope_of(self, node: ast.AST) -> Scope:
        """The innermost scope that holds a node."""
        child, parent = node, self.parents.get(node)
        while parent is not None:
            scope = self.scopes.get(parent)
            if scope is not None and child not in self._headers:
                return scope
            child, parent = parent, self.parents.get(parent)
        return self.scopes[child]

    def ancestors(self, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        """Pairs of a parent and its child, from a node up to the scope that holds it."""
        child, parent = node, self.parents.get(node)
        while parent is not None:
            if parent in self.scopes and child not in self._headers:
                return
            yield parent, child
            child, parent = parent, self.parents.get(parent)

    def header(self, node: ast.AST) -> None:
        """Mark a node as one that the enclosing scope evaluates."""
        self._headers.add(node)

    @cached_property
    def variables(self) -> frozenset[str]:
        """Every name that holds a value, and not only a function, a class or a module of its own."""
        found = set[str]()
        for scope in self.scopes.values():
            found.update(scope.attributes)
            found.update(name for name, bound in scope.bindings.items() if any(b.kind != "scope" for b in bound))
        found.update(key.rpartition(".")[2] for key in self.stores)
        return frozenset(found)

    def connected(self, one: Module, other: Module) -> bool:
        """Whether one of two modules imports the other, directly or through others."""
        return one is other or other in self._imports_of(one) or one in self._imports_of(other)

    def _imports_of(self, module: Module) -> set[Module]:
        if module not in self._reachable:
            seen, todo = set[Module](), [module]
            while todo:
                current = todo.pop()
                for name in current.imports:
                    found = self.find_module(name, current)
                    if found is not None and found not in seen:
                        seen.add(found)
                        todo.append(found)
            self._reachable[module] = seen
        return self._reachable[module]


def stored_as(owner: ast.Name | ast.Attribute, name: object) -> str:
    """The key in `stores` of an attribute or an item: `g.client` for `flask.g.client` and for `g["client"]`."""
    return f"{owner.attr if isinstance(owner, ast.Attribute) else owner.id}.{name}"


_LEAVES: Final = frozenset({ast.Load, ast.Store, ast.Del})


class _Indexer:
    """Walks one tree without recursion, so that deep expressions are no problem."""

    def __init__(self, project: Project, module: Module) -> None:
        self.project = project
        self.module = module
        self.todo: list[tuple[ast.AST, Scope]] = []

    def run(self) -> None:
        self.project.scopes[self.module.tree] = self.module.scope
        self._push(self.module.tree, self.module.tree.body, self.module.scope)
        while self.todo:
            node, scope = self.todo.pop()
            visit = _VISIT.get(type(node))
            if visit is None or visit(self, node, scope):
                self._push(node, ast.iter_child_nodes(node), scope)

    def _push(self, parent: ast.AST, children: Iterable[ast.AST], scope: Scope) -> None:
        parents = self.project.parents
        fresh: list[tuple[ast.AST, Scope]] = []
        for child in children:
            if type(child) not in _LEAVES:
                parents[child] = parent
                fresh.append((child, scope))
        fresh.reverse()  # so that they are visited as they stand: `global` comes before what it is about
        self.todo += fresh

    def visit_function(self, node: FunctionNode | ast.Lambda, scope: Scope) -> bool:
        name = "<lambda>" if isinstance(node, ast.Lambda) else node.name
        inner = Scope(node, self.module, scope, name)
        self.project.scopes[node] = inner
        for position, argument in enumerate(inner.parameters()):
            inner.bindings[argument.arg].append(Binding("parameter", argument, position))
        headers: list[ast.AST] = [node.args]
        if isinstance(node, ast.Lambda):
            body: list[ast.AST] = [node.body]
            inner.returns.append(node.body)
        else:
            scope.bindings[name].append(Binding("scope", node))
            headers += [*node.decorator_list, *([node.returns] if node.returns else [])]
            body = list(node.body)
        for header in headers:
            self.project.header(header)
        self._push(node, headers, scope)
        self._push(node, body, inner)
        return False

    def visit_class(self, node: ast.ClassDef, scope: Scope) -> bool:
        inner = Scope(node, self.module, scope, node.name)
        self.project.scopes[node] = inner
        scope.bindings[node.name].append(Binding("scope", node))
        headers = [*node.decorator_list, *node.bases, *node.keywords]
        for header in headers:
            self.project.header(header)
        self._push(node, headers, scope)
        self._push(node, node.body, inner)
        return False

    def visit_import(self, node: ast.Import, scope: Scope) -> bool:
        for alias in node.names:
            target = alias.name if alias.asname else alias.name.partition(".")[0]
            self.module.imports.add(alias.name)
            scope.bindings[alias.asname or target].append(Binding("import", node, target=target))
        return False

    def visit_import_from(self, node: ast.ImportFrom, scope: Scope) -> bool:
        base = node.module or ""
        if node.level:
            package = self.module.package.split(".") if self.module.package else []
            package = package[: len(package) - node.level + 1]
            base = ".".join([*package, *([base] if base else [])])
        for alias in node.names:
            target = f"{base}.{alias.name}" if base else alias.name
            self.module.imports.update((base, target))
            scope.bindings[alias.asname or alias.name].append(Binding("import", node, target=target))
            if alias.asname and alias.asname != alias.name:
                self.project.aliases[alias.name].add(alias.asname)
        return False

    def visit_assign(self, node: ast.Assign, scope: Scope) -> bool:
        for target in node.targets:
            self._bind(target, "value", node.value, scope)
        return True

    def visit_annotated(self, node: ast.AnnAssign, scope: Scope) -> bool:
        if node.value is not None:
            self._bind(node.target, "value", node.value, scope)
        if isinstance(node.target, ast.Name):
            scope.bindings[node.target.id].append(Binding("annotation", node.annotation))
        return True

    def visit_walrus(self, node: ast.NamedExpr, scope: Scope) -> bool:
        self._bind(node.target, "value", node.value, scope)
        return True

    def visit_for(self, node: ast.For | ast.AsyncFor | ast.comprehension, scope: Scope) -> bool:
        self._bind(node.target, "iter", node.iter, scope)
        return True

    def visit_with(self, node: ast.With | ast.AsyncWith, scope: Scope) -> bool:
        for item in node.items:
            if item.optional_vars is not None:
                self._bind(item.optional_vars, "with", item.context_expr, scope)
        return True

    def visit_global(self, node: ast.Global, scope: Scope) -> bool:
        for name in node.names:  # what is assigned here is a value of the module's name
            scope.bindings[name] = self.module.scope.bindings[name]
        return False

    def visit_return(self, node: ast.Return, scope: Scope) -> bool:
        if node.value is not None:
            scope.returns.append(node.value)
        return True

    def visit_yield(self, node: ast.Yield | ast.YieldFrom, scope: Scope) -> bool:
        scope.yields.append(node.value)
        if isinstance(node.value, ast.Dict):  # what the lifespan of an app yields is the state of its requests
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    self.project.stores[f"state.{key.value}"].append(value)
        return True

    def visit_call(self, node: ast.Call, scope: Scope) -> bool:
        called = node.func
        if isinstance(called, ast.Attribute):
            self.project.calls[called.attr].append(node)
            if called.attr in {"append", "add", "put", "setdefault"} and node.args:
                self._bind_element(called.value, node.args[-1], scope)
        elif isinstance(called, ast.Name):
            self.project.calls[called.id].append(node)
        else:
            self.project.calls[""].append(node)
        return True

    def visit_name(self, node: ast.Name, scope: Scope) -> bool:
        del scope
        if isinstance(node.ctx, ast.Load) and not self._is_called(node):
            self.project.references[node.id].append(node)
        return False

    def visit_attribute(self, node: ast.Attribute, scope: Scope) -> bool:
        del scope
        if isinstance(node.ctx, ast.Load) and not self._is_called(node):
            self.project.references[node.attr].append(node)
        return True

    def _is_called(self, node: ast.expr) -> bool:
        parent = self.project.parents.get(node)
        return isinstance(parent, ast.Call) and parent.func is node

    def _bind(self, target: ast.expr, kind: Kind, value: ast.expr, scope: Scope, index: int | None = None) -> None:
        if isinstance(target, ast.Name):
            scope.bindings[target.id].append(Binding(kind, value, index))
        elif isinstance(target, ast.Starred):
            self._bind(target.value, kind, value, scope)
        elif isinstance(target, ast.Tuple | ast.List):
            for position, element in enumerate(target.elts):
                if kind == "value" and isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts):
                    self._bind(element, kind, value.elts[position], scope)
                else:
                    self._bind(element, kind, value, scope, position)
        elif isinstance(target, ast.Attribute):
            owner = self._owner(target, scope)
            if owner is not None:
                owner.attributes[target.attr].append(value)
            elif isinstance(target.value, ast.Name | ast.Attribute):
                self.project.stores[stored_as(target.value, target.attr)].append(value)
        elif isinstance(target, ast.Subscript):
            self._bind_element(target.value, value, scope)
            if isinstance(target.slice, ast.Constant) and isinstance(target.value, ast.Name | ast.Attribute):
                self.project.stores[stored_as(target.value, target.slice.value)].append(value)

    def _bind_element(self, container: ast.expr, value: ast.expr, scope: Scope) -> None:
        if isinstance(container, ast.Name):
            home: Scope | None = scope
            while home is not None and container.id not in home.bindings:
                home = home.parent
            (home or scope).bindings[container.id].append(Binding("element", value))
        elif isinstance(container, ast.Attribute):
            owner = self._owner(container, scope)
            if owner is not None:
                wrapped = ast.List(elts=[value], ctx=ast.Load())
                self.project.parents[wrapped] = value
                owner.attributes[container.attr].append(wrapped)

    @staticmethod
    def _owner(target: ast.Attribute, scope: Scope) -> Scope | None:
        """The class of `self.name`."""
        if not isinstance(target.value, ast.Name):
            return None
        method: Scope | None = scope
        while method is not None and not method.is_method:
            method = method.parent
        parameters = method.parameters() if method else []
        return method.parent if method and parameters and parameters[0].arg == target.value.id else None


def _shared_folders(one: str, other: str) -> int:
    shared = 0
    for left, right in zip(one.split("/"), other.split("/"), strict=False):
        if left != right:
            break
        shared += 1
    return shared


_VISIT: Mapping[type[ast.AST], Callable[[_Indexer, Any, Scope], bool]] = {
    ast.FunctionDef: _Indexer.visit_function,
    ast.AsyncFunctionDef: _Indexer.visit_function,
    ast.Lambda: _Indexer.visit_function,
    ast.ClassDef: _Indexer.visit_class,
    ast.Import: _Indexer.visit_import,
    ast.ImportFrom: _Indexer.visit_import_from,
    ast.Assign: _Indexer.visit_assign,
    ast.AnnAssign: _Indexer.visit_annotated,
    ast.NamedExpr: _Indexer.visit_walrus,
    ast.For: _Indexer.visit_for,
    ast.AsyncFor: _Indexer.visit_for,
    ast.comprehension: _Indexer.visit_for,
    ast.With: _Indexer.visit_with,
    ast.AsyncWith: _Indexer.visit_with,
    ast.Global: _Indexer.visit_global,
    ast.Return: _Indexer.visit_return,
    ast.Yield: _Indexer.visit_yield,
    ast.YieldFrom: _Indexer.visit_yield,
    ast.Call: _Indexer.visit_call,
    ast.Name: _Indexer.visit_name,
    ast.Attribute: _Indexer.visit_attribute,
}
"""What is done with a node of each type; it returns whether the children are to be visited in the same scope."""
