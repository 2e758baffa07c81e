"""The scopes of a project's code: modules, classes, functions, and what binds a name in them."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from claudescope.audit.model import SourceFile

__all__ = ["Binding", "FunctionNode", "Kind", "Module", "Scope"]

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
ScopeNode: TypeAlias = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Kind: TypeAlias = Literal["value", "with", "iter", "element", "import", "parameter", "scope", "annotation"]


class Binding(NamedTuple):
    """One way in which a name gets a value."""

    kind: Kind
    node: ast.AST
    position: int | None = None  # position, if a tuple is unpacked
    target: str = ""  # the dotted name of an import


@dataclass(eq=False)
class Scope:
    """A module, class, function or lambda, and the names that are bound in it."""

    node: ScopeNode
    module: Module
    parent: Scope | None
    name: str
    bindings: dict[str, list[Binding]] = field(default_factory=lambda: defaultdict(list))
    attributes: dict[str, list[ast.expr]] = field(default_factory=lambda: defaultdict(list))  # `self.name = …`
    returns: list[ast.expr] = field(default_factory=list[ast.expr])
    yields: list[ast.expr | None] = field(default_factory=list[ast.expr | None])

    @property
    def is_async(self) -> bool:
        """Whether this is an `async def`."""
        return isinstance(self.node, ast.AsyncFunctionDef)

    @property
    def is_class(self) -> bool:
        """Whether this is the body of a class."""
        return isinstance(self.node, ast.ClassDef)

    @property
    def is_function(self) -> bool:
        """Whether this is a function, method or lambda."""
        return not isinstance(self.node, ast.Module | ast.ClassDef)

    @property
    def decorators(self) -> list[ast.expr]:
        """The decorators of a function or class."""
        return [] if isinstance(self.node, ast.Module | ast.Lambda) else self.node.decorator_list

    @property
    def arguments(self) -> ast.arguments | None:
        """The parameters of a function."""
        return None if isinstance(self.node, ast.Module | ast.ClassDef) else self.node.args

    @property
    def is_method(self) -> bool:
        """Whether this is a function of a class body."""
        return self.is_function and self.parent is not None and self.parent.is_class

    def parameters(self) -> list[ast.arg]:
        """All parameters, positional ones first."""
        arguments = self.arguments
        return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs] if arguments else []


@dataclass(eq=False)
class Module:
    """One file of the project that could be parsed."""

    file: SourceFile
    tree: ast.Module
    names: tuple[str, ...]  # `("a.b", "b")` for `a/b.py`
    imports: set[str] = field(default_factory=set[str])
    scope: Scope = field(init=False)

    def __post_init__(self) -> None:
        self.scope = Scope(self.tree, self, None, "")

    @property
    def package(self) -> str:
        """The longest dotted name of the package that holds this module."""
        name = self.names[0]
        return name if self.file.path.endswith("__init__.py") else name.rpartition(".")[0]

    @property
    def is_test(self) -> bool:
        """Whether this file holds tests."""
        *folders, name = self.file.path.split("/")
        return (
            name.startswith("test_")
            or name.endswith("_test.py")
            or name == "conftest.py"
            or bool({"tests", "test"} & set(folders))
        )
