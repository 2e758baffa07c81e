"""What an expression can be, as far as the source says."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from claudescope.audit.index import Project
from claudescope.audit.scopes import Module, Scope

__all__ = [
    "Client",
    "Constant",
    "Container",
    "Evaluator",
    "External",
    "Function",
    "Instance",
    "Klass",
    "Member",
    "Options",
    "Outcome",
    "Partial",
    "Setting",
    "Value",
    "Values",
    "order",
]

Setting: TypeAlias = Literal["set", "unset", "unknown"]


@dataclass(frozen=True, slots=True)
class Options:
    """How a client was made.

    Attributes:
        timeout: Whether it has a timeout.
        retries: How often it retries by itself; None if that can't be seen.
        models: Names of models that it was made with.
        url: The base URL of a raw HTTP client.
        retry_on: Error types that a wrapper such as `with_retry` repeats; None without a wrapper.
    """

    timeout: Setting = "unset"
    retries: int | None = 2
    models: frozenset[str] = frozenset()
    url: str = ""
    wrapper: ast.Call | None = field(default=None, compare=False)
    seen: bool = True  # False if only an annotation says what this is


@dataclass(frozen=True, slots=True)
class External:
    """A name of another library, such as `anthropic.Anthropic`."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A string, number, bool or None. `exact` is False for a string of which only a part is known."""

    value: str | int | float | bool | None
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Client:
    """Something that sends requests: a client of the SDK, a model of LangChain, an HTTP session."""

    library: str
    is_async: bool
    options: Options = Options()


@dataclass(frozen=True, slots=True)
class Member:
    """An attribute of a client, such as `messages.create`."""

    client: Client
    path: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call to the API returned: a response, a stream, or the manager of one."""

    call: ast.Call


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the project."""

    scope: Scope


@dataclass(frozen=True, slots=True)
class Klass:
    """A class of the project."""

    scope: Scope


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class of the project, or of an external class that is no client."""

    of: Scope | str


@dataclass(frozen=True, slots=True)
class Partial:
    """A `functools.partial`."""

    of: Member | External | Function
    call: ast.Call


@dataclass(frozen=True, slots=True)
class Container:
    """A collection, or an iterator, of values."""

    elements: Values


Value: TypeAlias = External | Constant | Client | Member | Outcome | Function | Klass | Instance | Partial | Container
Values: TypeAlias = frozenset[Value]


class Evaluator(Protocol):
    """What evaluates expressions."""

    project: Project

    def functions(self, node: ast.AST) -> tuple[Scope, ...]:
        """The functions of the project that an expression may be."""
        ...

    def bound(self, name: str, scope: Scope) -> Values:
        """What a name of a scope may be."""
        ...

    def result(self, scope: Scope) -> Values:
        """What a call of a function of the project returns."""
        ...

    def items(self, found: Values) -> Values:
        """What iterating over values yields."""
        ...

    def enter(self, found: Values) -> Values:
        """What `with` makes of values."""
        ...

    def joined(self, parts: list[ast.expr]) -> Values:
        """The first strings that a concatenation may give."""
        ...

    def annotation(self, node: ast.AST) -> Values:
        """The objects that a type stands for."""
        ...

    def member(self, value: Value, name: str, asker: Module) -> Values:
        """What an attribute of a value may be."""
        ...

    def values(self, node: ast.AST) -> Values:
        """Everything that an expression may be."""
        ...

    def elements(self, node: ast.AST) -> Values:
        """What iterating over an expression yields."""
        ...

    def texts(self, node: ast.AST) -> frozenset[str]:
        """The strings that an expression may be."""
        ...

    def dicts(self, node: ast.AST) -> list[ast.Dict]:
        """The literals that a name of a dict stands for."""
        ...


def order(value: Value) -> tuple[str, str, int]:
    """A key that sorts values the same way in every process."""
    match value:
        case External(name=name):
            return "external", name, 0
        case Constant(value=constant):
            return "constant", f"{type(constant).__name__} {constant}", 0
        case Client(library=library, is_async=is_async, options=options):
            return (
                "client",
                f"{library} {options.timeout} {options.retries} {sorted(options.models)} {options.url}",
                int(is_async),
            )
        case Member(client=client, path=path):
            return "member", f"{order(client)[1]} {path}", int(client.is_async)
        case Outcome(call=call) | Partial(call=call):
            return type(value).__name__, "", call.lineno
        case Function(scope=scope) | Klass(scope=scope) | Instance(of=Scope() as scope):
            return type(value).__name__, f"{scope.module.file.path} {scope.name}", getattr(scope.node, "lineno", 0)
        case Instance():
            return "instance", str(value.of), 0
        case Container():
            return "container", "", len(value.elements)
