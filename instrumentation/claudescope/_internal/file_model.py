"""Types of the values in a configuration file, for the models that `yaml_model` reads files into.

Needs the package `pydantic`.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, WithJsonSchema

from claudescope._internal import yaml_model

__all__ = ["Duration", "FileModel", "ratio_of"]


def _one_line(schema: dict[str, Any]) -> None:
    """Join the lines of each description: where a docstring wraps means nothing to its reader."""
    for described in (schema, *schema.get("properties", {}).values()):
        if "description" in described:
            described["description"] = " ".join(described["description"].split())


class FileModel(BaseModel):
    """A section of a file: it refuses unknown keys, and does not change once it is read.

    The docstring below a field becomes its description in the JSON schema and in the documentation.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, json_schema_extra=_one_line)


Duration = Annotated[
    yaml_model.Duration, WithJsonSchema({"type": "string", "pattern": r"^\s*(\d+(\.\d+)?(ms|[smhdw]))+\s*$"})
]
"""A duration in seconds; a file writes it with its unit: `2.56s`, `10m`."""


def ratio_of(value: object) -> Decimal | None:
    """Read a ratio such as `"5%"` or 0.05; None for anything else. It may be any number, negative ones included."""
    if isinstance(value, bool):
        return None
    text = str(value).strip()
    try:
        ratio = Decimal(text[:-1]) / 100 if text.endswith("%") else Decimal(text)
    except InvalidOperation:
        return None
    return ratio if ratio.is_finite() else None
