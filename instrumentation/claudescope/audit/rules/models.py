"""The rule about models that the API no longer serves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from claudescope.audit.case import Case
from claudescope.audit.rules.rule import Hit

__all__ = ["retired_model"]

_RETIRED: Final = re.compile(
    r"(^|[./:@])claude-("
    r"v?[12](\.\d+)?([-@:].*)?"
    r"|instant([-@.:].*)?"
    r"|3([-.@]?[57])?(-(opus|sonnet|haiku))?([-@:].*)?"
    r")$"
)
_NOT_OLD: Final = re.compile(r"claude-[12]\d")


def is_retired(name: str) -> bool:
    """Whether a model was retired before November 2026: Claude 3.7 and all older ones."""
    return bool(_RETIRED.search(name)) and not _NOT_OLD.search(name)


def retired_model(case: Case) -> Iterator[Hit]:
    """Report a call to a model that the API refuses."""
    for name in sorted(_models(case)):
        if is_retired(name):
            yield Hit(
                "retired-model",
                case.site.line,
                "high",
                f"{case.site.name} asks for {name!r}, which is retired: the API answers 404. Use a current model.",
            )
            return


def _models(case: Case) -> set[str]:
    found = set(case.site.options.models)
    resolver = case.resolver
    named = [case.site.arguments[name] for name in ("model", "modelId", "model_name") if name in case.site.arguments]
    if case.site.library == "litellm":
        named += case.site.positional[:1]
    for chosen in named:
        found |= resolver.texts(chosen)
    todo: list[tuple[ast.AST, int]] = [(n, 0) for n in [*case.site.arguments.values(), *case.site.positional]]
    while todo:
        node, depth = todo.pop()
        for inner in ast.walk(node):
            if isinstance(inner, ast.Dict):
                for key, value in zip(inner.keys, inner.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value in {"model", "modelId"}:
                        found |= resolver.texts(value)
            elif isinstance(inner, ast.keyword) and inner.arg == "model":
                found |= resolver.texts(inner.value)
            elif isinstance(inner, ast.Name) and depth < 2:
                todo += [(value, depth + 1) for value in resolver.assigned(inner) if value is not inner]
    return found
