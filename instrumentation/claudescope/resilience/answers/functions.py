"""The functions of the app that answer where no target does, or rewrite a refused request."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any, Final

from claudescope._internal.exceptions import BadInputError

__all__ = ["REGISTERED", "Function", "find", "load", "register", "registered"]

Function = Callable[..., Any]

REGISTERED: Final = "registered"
"""What a policy says for the function that is registered for the workflow."""

_registered: Final[dict[str, Function]] = {}


def register(workflow: str, function: Function) -> None:
    """Let a function answer the calls of a workflow whose policy says `then: {function: ...}`. The last one wins."""
    _registered[workflow] = function


def registered(workflow: str | None) -> Function | None:
    """The function of a workflow; None where none is registered."""
    return None if workflow is None else _registered.get(workflow)


def load(spec: str) -> Function:
    """Import the function that a policy names.

    Args:
        spec: `package.module:name`.

    Raises:
        BadInputError: There is no such module, or no such function in it.
    """
    module_name, _, name = spec.partition(":")
    expected = "expected package.module:name of a function that can be imported"
    try:
        found: Any = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise BadInputError(f"the function {spec!r} can't be imported ({error}); {expected}") from error
    if not callable(found):
        raise BadInputError(f"{spec!r} is {type(found).__name__}, and no function; {expected}")
    function: Function = found
    return function


def find(spec: str, workflow: str | None) -> Function | None:
    """The function that a policy names, or where that is `registered` the one of the workflow; None without one.

    Raises:
        BadInputError: The named one can't be imported.
    """
    return registered(workflow) if spec == REGISTERED else load(spec)


def is_async(function: Function) -> bool:
    """Whether a call of the function has to be awaited."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004
