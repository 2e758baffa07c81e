"""Describes problems in the OpenAPI document of a FastAPI app."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from claudescope.web.problem import MEDIA_TYPE, STATUSES, Options, json_schema

__all__ = ["describe", "responses"]

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_SCHEMA: Final = "ClaudeProblem"
_REFERENCE: Final = {"$ref": f"#/components/schemas/{_SCHEMA}"}
_DESCRIPTION: Final = "The call to Claude failed, as RFC 9457 describes it."


def responses() -> dict[str, Any]:
    """The component of an OpenAPI document that describes a problem response."""
    return {
        "description": _DESCRIPTION,
        "headers": {
            "Retry-After": {
                "description": "Seconds after which another try may succeed.",
                "schema": {"type": "integer", "minimum": 0},
            },
            "X-Request-ID": {"description": "The id of the request.", "schema": {"type": "string"}},
        },
        "content": {MEDIA_TYPE: {"schema": _REFERENCE}},
    }


def describe(app: Any, options: Options) -> None:
    """Let each operation of the app's OpenAPI document have the problem under each status that problems may have.

    Where the operation describes the status itself, as FastAPI does with 422, the problem is a further media type.
    """
    statuses = sorted({options.status.get(name, status) for name, status in STATUSES.items()})
    original = app.openapi

    def openapi() -> dict[str, Any]:
        document: dict[str, Any] = original()
        components = document.setdefault("components", {})
        schema = {key: value for key, value in json_schema().items() if key != "$schema"}
        components.setdefault("schemas", {})[_SCHEMA] = schema
        components.setdefault("responses", {})[_SCHEMA] = responses()
        for path in document.get("paths", {}).values():
            for operation in (path[method] for method in _METHODS if method in path):
                _add(operation.setdefault("responses", {}), statuses)
        return document

    app.openapi = openapi


def _add(described: dict[str, Any], statuses: Sequence[int]) -> None:
    for status in map(str, statuses):
        own = described.setdefault(status, {"$ref": f"#/components/responses/{_SCHEMA}"})
        if "$ref" not in own:
            own.setdefault("content", {}).setdefault(MEDIA_TYPE, {"schema": _REFERENCE})
