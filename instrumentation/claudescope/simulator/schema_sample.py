"""Makes a random value that satisfies a JSON schema."""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Callable, Mapping
from typing import Any, cast

__all__ = ["sample"]

_DEEP = 6
_WORDS = ("amber", "basalt", "cedar", "delta", "ember", "fjord", "garnet", "harbor", "indigo", "juniper")


def sample(schema: Mapping[str, Any], rng: random.Random) -> Any:
    """Make a value.

    Knows the keywords that the API's structured outputs and tool schemas use; `pattern` is not among them.

    Args:
        schema: A JSON schema. Its references must point into the schema itself.
        rng: The source of random choices.
    """
    return _sample(schema, rng, schema, 0)


def _sample(schema: Any, rng: random.Random, root: Mapping[str, Any], depth: int) -> Any:
    if not isinstance(schema, dict):  # `true` allows anything
        return rng.choice(_WORDS)
    known = cast("dict[str, Any]", schema)
    if "const" in known:
        return known["const"]
    if "enum" in known:
        return rng.choice(known["enum"])
    if "$ref" in known:
        inner = _target(known["$ref"], root)
    elif "anyOf" in known or "oneOf" in known:
        inner = _branch(known.get("anyOf") or known["oneOf"], rng, depth)
    elif "allOf" in known:
        inner = _merged(known, root)
    else:
        return _of_type(known, rng, root, depth)
    return _sample(inner, rng, root, depth + 1)


def _target(reference: str, root: Mapping[str, Any]) -> Any:
    found: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        if step:
            found = found.get(step.replace("~1", "/").replace("~0", "~"), {})
    return found


def _branch(branches: list[Any], rng: random.Random, depth: int) -> Any:
    # A recursive schema has an alternative without recursion: choose it at depth.
    if depth >= _DEEP:
        return next((branch for branch in branches if branch.get("type") == "null"), branches[-1])
    return rng.choice([branch for branch in branches if branch.get("type") != "null"] or branches)


def _merged(schema: dict[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        resolved = _target(part["$ref"], root) if "$ref" in part else part
        for key, value in resolved.items():
            if key == "properties":
                merged[key] = {**merged.get(key, {}), **value}
            elif key == "required":
                merged[key] = [*merged.get(key, []), *value]
            else:
                merged[key] = value
    return merged


def _of_type(schema: dict[str, Any], rng: random.Random, root: Mapping[str, Any], depth: int) -> Any:
    kinds: Any = schema.get("type") or ("object" if "properties" in schema else "string")
    allowed = [kinds] if isinstance(kinds, str) else list(map(str, kinds))
    kind = next((kind for kind in allowed if kind != "null"), "null")
    if kind == "null" or ("null" in allowed and depth >= _DEEP):
        return None
    makers: dict[str, Callable[[], Any]] = {
        "object": lambda: _object(schema, rng, root, depth),
        "array": lambda: _array(schema, rng, root, depth),
        "integer": lambda: int(_number(schema, rng, whole=True)),
        "number": lambda: _number(schema, rng, whole=False),
        "boolean": lambda: rng.random() < 0.5,
    }
    return makers.get(kind, lambda: _string(schema, rng))()


def _object(schema: dict[str, Any], rng: random.Random, root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    required = set(schema.get("required", ()))
    return {
        name: _sample(inner, rng, root, depth + 1)
        for name, inner in schema.get("properties", {}).items()
        if name in required or depth < _DEEP
    }


def _array(schema: dict[str, Any], rng: random.Random, root: Mapping[str, Any], depth: int) -> list[Any]:
    fixed = [_sample(inner, rng, root, depth + 1) for inner in schema.get("prefixItems", ())]
    least = max(schema.get("minItems", 0), len(fixed))
    most = schema.get("maxItems", max(least, 3))
    length = least if depth >= _DEEP or "items" not in schema else rng.randint(min(max(least, 1), most), most)
    return fixed + [_sample(schema.get("items", {}), rng, root, depth + 1) for _ in range(length - len(fixed))]


def _number(schema: dict[str, Any], rng: random.Random, *, whole: bool) -> float:
    step = float(schema.get("multipleOf", 1 if whole else 0.01))
    lowest, highest = schema.get("minimum", schema.get("exclusiveMinimum")), _highest(schema)
    low = float(lowest if lowest is not None else 0 if highest is None else highest - 99)
    high = float(highest if highest is not None else low + 99)
    first, last = math.ceil(low / step), math.floor(high / step)
    first += schema.get("exclusiveMinimum") == first * step
    last -= schema.get("exclusiveMaximum") == last * step
    if first > last:  # no multiple fits
        return (low + high) / 2
    return round(rng.randint(first, last) * step, 10)


def _highest(schema: dict[str, Any]) -> float | None:
    highest: float | None = schema.get("maximum", schema.get("exclusiveMaximum"))
    return highest


def _string(schema: dict[str, Any], rng: random.Random) -> str:
    word = rng.choice(_WORDS)
    response = {
        "date": f"2026-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
        "time": f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:00Z",
        "date-time": f"2026-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}T12:00:00Z",
        "duration": f"PT{rng.randint(1, 59)}M",
        "email": f"{word}@example.com",
        "hostname": f"{word}.example.com",
        "uri": f"https://example.com/{word}",
        "ipv4": f"192.0.2.{rng.randint(1, 254)}",
        "ipv6": f"2001:db8::{rng.randint(1, 9999):x}",
        "uuid": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    }.get(str(schema.get("format")))
    if response is not None:
        return response
    text = word
    while len(text) < schema.get("minLength", 0):
        text += f" {rng.choice(_WORDS)}"
    return text[: schema.get("maxLength", len(text))]
