"""The parts of a way of an error: the functions on it, what catches it, and where it ends."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from claudescope.audit.errors import Caught
from claudescope.audit.handlers import Handling, walk_here
from claudescope.audit.scopes import Scope
from claudescope.audit.spawns import Passed

__all__ = ["PASSED_ON", "Catch", "End", "Origin", "Path", "Step", "stops_errors"]

Origin: TypeAlias = Literal["own", "caller", "decorator", "gather", "context", "policy", "app"]
End: TypeAlias = Literal["caught", "module", "endpoint", "dropped", "no-caller", "job", "lazy", "watched", "test"]
PASSED_ON: Final = Handling(
    reraises=True,
    raises=True,
    is_silent=False,
    returns_none=False,
    continues=False,
    tells=True,
    default=False,
    filters=True,
    leaves=True,
    logs=(),
)
"""What a policy does: it tells of errors, and the caller gets those that are left."""


@dataclass(frozen=True)
class Step:
    """One function on the way: the error arises, or comes up, at `node`."""

    scope: Scope
    node: ast.AST
    passed: Passed | None = None  # how the function of the step before was reached from here
    is_decorator: bool = False


@dataclass(frozen=True)
class Catch:
    """Something that catches errors of the call."""

    origin: Origin
    caught: Caught
    kinds: frozenset[str]  # those that reach it
    handling: Handling
    node: ast.AST
    error: str | None
    step: Step
    handler: ast.ExceptHandler | None = None


@dataclass(frozen=True)
class Path:
    """One way, as far as the error comes."""

    steps: tuple[Step, ...]
    catches: tuple[Catch, ...]
    end: End


def stops_errors(leaving: Scope) -> bool:
    """Whether an `__exit__` may return True, or raises an error of its own."""
    returned = any(
        isinstance(r, ast.Compare | ast.Call | ast.BoolOp) or (isinstance(r, ast.Constant) and r.value)
        for r in leaving.returns
    )
    return returned or any(isinstance(n, ast.Raise) for n in walk_here(*ast.iter_child_nodes(leaving.node)))
