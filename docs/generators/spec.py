"""The pages of the alert spec and of policies, from the JSON Schemas of their models."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from claudescope.resilience.policies.model import PolicyFile
from claudescope_alerts.spec.model import Spec
from generators.markdown import code, page, table

__all__ = ["missing_descriptions", "policy", "spec"]

Json = dict[str, Any]

_INTRODUCTION: Final = """\
Every key of `claudescope.yaml`. All keys but `version` and `objectives` have a default.
[Alerts as code](../alerts.md) explains how the parts work together; `claudescope alerts schema` prints the JSON Schema,
and editors that know YAML schemas complete keys from it.

- A **duration** is a number with its unit: `250ms`, `20s`, `5m`, `2h`, `7d`.
- A **ratio** is a percentage such as `5%`, or a number such as `0.05`. It is above 0 and below 1.
- `[]` after a key stands for each element of a list.
- *required* in place of a default: the section is invalid without the key. *none* means `null`."""

_ON_DEFAULT: Final = re.compile(r"\s*(?:Default: (?P<words>(?:(?!Default: ).)+)|No default|Required)\.$")
"""The sentence on the default, or its absence, at the end of a description."""

_UNITS: Final = {
    "target": "percent of events",
    "min_failures": "failures",
    "min_calls": "calls",
    "cost_per_call_usd": "US dollars",
    "daily_budget_usd": "US dollars a day",
    "p95_over_baseline": "times the baseline",
    "tokens_over_baseline": "times the baseline",
    "cost_over_baseline": "times the baseline",
    "pool_timeouts": "calls in 5 minutes",
}
"""Units that JSON Schema can't tell. Durations and ratios are types of their own."""


_POLICY: Final = """\
Every key of a policy file, such as `resilience.yaml`. All keys but `version` have a default.
[Resilience](../resilience.md) explains how the parts work together; `claudescope policy check` reads a file and says
what holds, and `claudescope policy schema` prints the JSON Schema.

- A **duration** is a number with its unit: `250ms`, `20s`, `5m`, `2h`.
- A **ratio** is a percentage such as `5%`, or a number such as `0.05`.
- `defaults` takes every key that a workflow takes, and a workflow every key of `defaults`.
- `[]` after a key stands for each element of a list.
- *required* in place of a default: the section is invalid without the key. *none* means `null`."""


def spec() -> str:
    """Every key of the spec: type, default, unit and description."""
    return _page("Keys of the alert spec", _INTRODUCTION, Spec.model_json_schema())


def policy() -> str:
    """Every key of a policy: type, default and description."""
    return _page("Keys of a policy", _POLICY, PolicyFile.model_json_schema())


def _page(title: str, introduction: str, schema: Json) -> str:
    parts: list[str] = []
    for paths, section in _sections(schema):
        required = section.get("required", ())
        parts += [
            f"## {', '.join(f'`{path}`' for path in paths)}" if paths != [""] else "## Top level",
            _first_line(section),
            table(
                ["key", "type", "default", "unit", "description"],
                (
                    [
                        f"`{name}`",
                        _type(schema, entry),
                        _cell_of_default(schema, name, entry, required),
                        _UNITS.get(name, ""),
                        _description(entry),
                    ]
                    for name, entry in section["properties"].items()
                ),
            ),
        ]
    return page(title, introduction, *parts)


def missing_descriptions() -> list[str]:
    """The keys whose field has no description, each with the path of its section."""
    return [
        f"{paths[0]}.{name}" if paths[0] else name
        for model in (Spec, PolicyFile)
        for paths, section in _sections(model.model_json_schema())
        for name, entry in section["properties"].items()
        if not str(entry.get("description", "")).strip()
    ]


def _sections(schema: Json) -> list[tuple[list[str], Json]]:
    """Every section with the paths to it, in the order of the file. One that several keys hold comes once."""
    found: dict[int, tuple[list[str], Json]] = {}

    def visit(path: str, section: Json) -> None:
        if id(section) in found:
            found[id(section)][0].append(path)
        else:
            found[id(section)] = ([path], section)
        for name, entry in section["properties"].items():
            for mark, target in _references(schema, entry):
                if "properties" in target:
                    visit(f"{path}.{name}{mark}" if path else f"{name}{mark}", target)

    visit("", schema)
    return list(found.values())


def _references(schema: Json, entry: Json) -> Iterator[tuple[str, Json]]:
    if "$ref" in entry:
        yield "", schema["$defs"][entry["$ref"].rpartition("/")[2]]
    for option in (*entry.get("anyOf", ()), *entry.get("allOf", ())):
        yield from _references(schema, option)
    for values in (entry.get("additionalProperties"), *entry.get("patternProperties", {}).values()):
        if isinstance(values, dict):
            yield from ((".NAME" + mark, target) for mark, target in _references(schema, values))
    if isinstance(entry.get("items"), dict):
        yield from (("[]" + mark, target) for mark, target in _references(schema, entry["items"]))


def _first_line(section: Json) -> str:
    return str(section.get("description", "")).partition("\n\n")[0].replace("\n", " ")


def _type(schema: Json, entry: Json) -> str:
    for target in (target for mark, target in _references(schema, entry) if not mark):
        return "section" if "properties" in target else _type(schema, target)
    if "anyOf" in entry:
        words = [_type(schema, option) for option in entry["anyOf"] if option.get("type") != "null"]
        # Numbers may also be written as text, which serves percentages and exact decimals.
        known = {("text", "number"): "ratio", ("number", "whole number", "text"): "number"}
        return known.get(tuple(words), " or ".join(dict.fromkeys(words)))
    values = [entry["const"]] if "const" in entry else entry.get("enum")
    return code(values) if values else _WORDS[entry["type"]](schema, entry)


def _text(_schema: Json, entry: Json) -> str:
    return "duration" if "ms|" in entry.get("pattern", "") else str(entry.get("format", "text"))


def _mapping(schema: Json, entry: Json) -> str:
    values = entry.get("additionalProperties") or next(iter(entry.get("patternProperties", {}).values()), None)
    return f"mapping of names to {_type(schema, values)}" if isinstance(values, dict) else "mapping"


_WORDS: Final[Mapping[str, Callable[[Json, Json], str]]] = {
    "array": lambda schema, entry: f"list of {_type(schema, entry['items'])}",
    "boolean": lambda _schema, _entry: "`true` or `false`",
    "integer": lambda _schema, _entry: "whole number",
    "number": lambda _schema, _entry: "number",
    "object": _mapping,
    "string": _text,
}


def _default(schema: Json, entry: Json) -> str:
    value = entry.get("default")
    if value is None:
        return "none" if "default" in entry else ""
    if isinstance(value, dict):
        return "the defaults of its keys" if value else "empty"
    if isinstance(value, list):
        return code(value) or "empty"
    if _type(schema, entry) == "ratio" and not isinstance(value, str):
        return f"`{100 * float(value):g}%`"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _description(entry: Json) -> str:
    """The description without the sentence on the default, which has a column of its own."""
    return _ON_DEFAULT.sub("", str(entry.get("description", "")).replace("\n", " ")).strip()


def _cell_of_default(schema: Json, name: str, entry: Json, required: Sequence[str]) -> str:
    """The default in words where the description has them, such as `every model`, else the value."""
    if name in required:
        return "*required*"
    value = _default(schema, entry)
    found = _ON_DEFAULT.search(str(entry.get("description", "")))
    words = found["words"] if found else None
    return value if words is None or words == value.strip("`") else words
