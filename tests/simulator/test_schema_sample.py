"""Made-up values satisfy their schemas."""

from __future__ import annotations

import random
from typing import Any

import pytest

from claudescope.simulator.schema_sample import sample

NODE = {
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "left": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
                "rest": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
                "note": {"type": ["string", "null"]},
            },
            "required": ["value", "left", "rest", "note"],
        }
    },
    "$ref": "#/$defs/Node",
}

CASES: list[tuple[dict[str, Any], Any]] = [
    ({"const": 5}, lambda v: v == 5),
    ({"enum": ["a", "b"]}, lambda v: v in {"a", "b"}),
    ({"type": "integer", "minimum": 3, "maximum": 4}, lambda v: v in {3, 4} and isinstance(v, int)),
    ({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5}, lambda v: v == 4),
    ({"type": "integer", "maximum": -500}, lambda v: v <= -500),
    ({"type": "integer", "multipleOf": 7}, lambda v: v % 7 == 0),
    ({"type": "number", "minimum": 0.001, "maximum": 0.002}, lambda v: 0.001 <= v <= 0.002),
    ({"type": "number", "minimum": 1, "maximum": 2}, lambda v: 1 <= v <= 2),
    ({"type": "boolean"}, lambda v: v in {True, False}),
    ({"type": "null"}, lambda v: v is None),
    ({"type": ["null", "string"]}, lambda v: isinstance(v, str)),
    ({"type": "string", "minLength": 40, "maxLength": 41}, lambda v: 40 <= len(v) <= 41),
    ({"type": "string", "format": "date"}, lambda v: len(v) == 10),
    ({"type": "string", "format": "uuid"}, lambda v: len(v) == 36),
    ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, lambda v: len(v) >= 2),
    ({"type": "array", "items": {"type": "integer"}, "maxItems": 0}, lambda v: v == []),
    ({"type": "array"}, lambda v: v == []),
    ({"type": "array", "prefixItems": [{"const": 1}], "items": {"const": 2}}, lambda v: v[0] == 1),
    ({"properties": {"a": {"const": 1}}}, lambda v: v == {"a": 1}),
    ({"type": "object"}, lambda v: v == {}),
    ({"properties": {"a": True}}, lambda v: isinstance(v["a"], str)),
    ({"oneOf": [{"const": 1}, {"const": 2}]}, lambda v: v in {1, 2}),
    ({"anyOf": [{"type": "null"}]}, lambda v: v is None),
    (
        {
            "$defs": {"A": {"properties": {"a": {"const": 1}}, "required": ["a"]}},
            "allOf": [{"$ref": "#/$defs/A"}, {"properties": {"b": {"const": 2}}, "type": "object"}],
        },
        lambda v: v == {"a": 1, "b": 2},
    ),
    ({"$ref": "#/$defs/missing"}, lambda v: isinstance(v, str)),
    (NODE, lambda v: isinstance(v["value"], int)),
    ({"anyOf": [{"$ref": "#"}, {"const": 3}]}, lambda v: v == 3),
]


@pytest.mark.parametrize(("schema", "holds"), CASES)
def test_a_sample_satisfies_its_schema(schema: dict[str, Any], holds: Any) -> None:
    """For many seeds."""
    for seed in range(20):
        value = sample(schema, random.Random(seed))  # noqa: S311 - test data, no secret
        assert holds(value), value
