"""The rule about models that the API no longer serves."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from claudescope.audit.case import Case
from claudescope.audit.resolve import Resolver
from claudescope.audit.rules.rule import Hit
from claudescope.schema.retired_models import is_retired

__all__ = ["retired_model"]


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
                for value in _set_later(resolver, inner):
                    found |= resolver.texts(value)
                todo += [(value, depth + 1) for value in resolver.assigned(inner) if value is not inner]
    return found


def _set_later(resolver: Resolver, name: ast.Name) -> Iterator[ast.expr]:
    """What is set as the model of a dict that a variable holds: `body["model"] = …`."""
    for node in ast.walk(resolver.project.scope_of(name).node):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if (
                    isinstance(target, ast.Subscript)
                    and isinstance(target.value, ast.Name)
                    and target.value.id == name.id
                    and isinstance(target.slice, ast.Constant)
                    and target.slice.value in {"model", "modelId"}
                ):
                    yield node.value
