"""Specs for property tests: documents that follow the public JSON Schema, and values that YAML or a hand may bend."""

from __future__ import annotations

import datetime as dt
import functools
import json
from typing import Any, get_args

import yaml
from hypothesis import strategies as st

from claudescope.schema.catalogue import DURATION, METRICS, REQUEST_MODEL, STREAM_STALL
from claudescope_alerts.spec.model import json_schema
from claudescope_alerts.spec.objectives import Preset

__all__ = ["SAMPLE", "bent_documents", "documents", "leaves", "schema", "written"]

SAMPLE: dict[str, Any] = {
    "version": 1,
    "objectives": [{"name": "a", "target": 99.5, "sli": {"preset": "claude-availability"}}],
}
"""The shortest spec."""

_BENT: list[Any] = [
    None, True, False, 0, -1, 1, 2, 5, 99, 0.5, 0.999, 1.5, float("nan"), float("inf"), float("-inf"), 10**30,
    1e300, 1e-300, "", " ", "5%", "0%", "100%", "99.5", "2s", "1ms", "0s", "1h30m", "-5m", "99999999999w",
    "yes", "nan", "a", "a-", "A", "é", "{{ $labels.x }}", "a$b", 'a"b', "a\\b", "[[x]]", "http://",
    "https://example.com/x", "docs/runbooks.md", "http://[", "09:00", "25:00", "a@b.c", "\u2028", [], [None],
    ["a", "a"], {}, {"a": "b"}, {1: 2}, {"__name__": "x"}, {"le": "5"}, dt.date(2026, 12, 25), [dt.date(2026,
    12, 25)] * 2, dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc), [2026], "UTC", "Mars/Base", "localtime",
]  # fmt: skip


@functools.cache
def schema() -> dict[str, Any]:
    """The public JSON Schema."""
    return dict(json.loads(json_schema()))


def written(document: object) -> str:
    """A document as YAML."""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    return schema()["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part


def leaves(part: dict[str, Any] | None = None, at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of all keys of the schema, without those in lists."""
    part = _resolved(part or schema())
    found: list[tuple[str, ...]] = []
    for branch in part.get("anyOf", ()):
        found += leaves(branch, at)
    for key, value in part.get("properties", {}).items():
        found += [(*at, key), *leaves(value, (*at, key))]
    return list(dict.fromkeys(found))


def _valid(part: dict[str, Any]) -> st.SearchStrategy[Any]:  # noqa: PLR0911 # one line for each kind of schema
    part = _resolved(part)
    if "enum" in part or "const" in part:
        return st.sampled_from(part.get("enum") or [part["const"]])
    if "anyOf" in part:
        return st.one_of(*(_valid(branch) for branch in part["anyOf"]))
    match part["type"]:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.one_of(
                st.integers(part["minimum"], part["maximum"]), st.sampled_from((part["minimum"], part["maximum"], 20))
            )
        case "number":
            low = part.get("minimum", part.get("exclusiveMinimum", 0))
            high = part.get("maximum", part.get("exclusiveMaximum", 1))
            return st.floats(low, high, exclude_min="minimum" not in part, exclude_max="maximum" not in part)
        case "string" if part.get("format") == "date":
            return st.dates(dt.date(2026, 1, 1), dt.date(2030, 1, 1))
        case "string" if "://" in part.get("pattern", ""):
            return st.sampled_from(["https://example.com/a/b", "http://localhost:3000"])
        case "string":
            return st.from_regex(part["pattern"], fullmatch=False).map(str.strip) if "pattern" in part else st.text()
        case "array":
            items = _valid(part["items"])
            return st.lists(items, min_size=part.get("minItems", 0), max_size=3)
        case _:
            return _object(part)


def _object(part: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "properties" not in part:
        values = _valid(part["additionalProperties"]) if part.get("additionalProperties") else st.just("x")
        return st.dictionaries(st.sampled_from(["team", "cluster", "env", "a_1", "le", "job"]), values, max_size=2)
    needed = set(part.get("required", ()))
    fields = {key: _valid(value) for key, value in part["properties"].items()}
    return st.fixed_dictionaries(
        {key: value for key, value in fields.items() if key in needed},
        optional={key: value for key, value in fields.items() if key not in needed},
    )


_MODELS = st.lists(
    st.sampled_from(["claude-opus-5-5", 'a"b', "a$b", "a\\b|c", "[[m]]", "é😀"]), unique=True, max_size=2
)


@st.composite
def _objectives(draw: st.DrawFn) -> dict[str, Any]:
    """An objective that is whole: its preset has what it needs."""
    preset: Preset = draw(st.sampled_from(get_args(Preset)))
    sli: dict[str, Any] = {"preset": preset, "per_model": draw(st.booleans()), "models": draw(_MODELS)}
    if preset in {"claude-first-token", "claude-duration"}:
        sli["threshold"] = f"{draw(st.sampled_from(DURATION.buckets)):g}s"
    if preset == "claude-availability":
        sli["owner"] = draw(
            st.lists(st.sampled_from(["provider", "quota", "caller", "network"]), unique=True, max_size=2)
        )
    if preset == "custom":
        sli |= {"bad": draw(_selections()), "total": draw(_selections())}
    target = draw(st.one_of(st.sampled_from([99.5, 95, 99.9, 97, 99.9999]), st.floats(93, 99.9999), st.floats(1.5, 99)))
    tiers = draw(st.lists(st.sampled_from(["page-fast", "page-slow", "ticket-fast", "ticket-slow"]), unique=True))
    return {
        "name": draw(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)),
        "target": target,
        "window": draw(st.sampled_from(["28d", "30d", "90d"])),
        "sli": sli,
        "tiers": [
            tier for tier in tiers if target > 99.3 or (target > 98 and tier != "page-fast") or tier == "ticket-slow"
        ],
        "min_failures": draw(st.sampled_from([1, 2, 5, 40, 1000, 1_000_000])),
    }


@st.composite
def _selections(draw: st.DrawFn) -> dict[str, Any]:
    metric = draw(st.sampled_from([metric for metric in METRICS if metric.instrument in {"counter", "histogram"}]))
    labels = draw(st.lists(st.sampled_from(metric.labels), unique=True, max_size=2)) if metric.labels else []
    match = {
        label.name: draw(
            st.lists(st.sampled_from(label.values or ('x"y', "$z", "w|v")), unique=True, min_size=1, max_size=2)
        )
        for label in labels
        if label != REQUEST_MODEL
    }
    return {"metric": metric.name, "match": match}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Specs most of which load: each value follows the schema, and each objective is whole."""
    sections = {
        key: draw(_valid(value))
        for key, value in schema()["properties"].items()
        if key not in {"version", "objectives"} and draw(st.booleans())
    }
    thresholds = sections.get("thresholds")
    if thresholds:
        for key in ("stall", "p95_floor", "absent_after"):
            thresholds.pop(key, None)
        thresholds["stall"] = f"{draw(st.sampled_from(STREAM_STALL.buckets)):g}s"
        thresholds["p95_floor"] = draw(st.sampled_from(["10ms", "2s", "30s", "10m"]))
        thresholds["absent_after"] = draw(st.sampled_from(["1m", "10m", "12h"]))
    for receiver in (sections.get("routing") or {}).values():
        if isinstance(receiver, dict) and receiver.get("hours"):
            receiver["hours"]["zone"] = draw(st.sampled_from(["UTC", "Europe/Berlin", "Europe/Chisinau"]))
    return {
        **SAMPLE,
        **sections,
        "objectives": draw(st.lists(_objectives(), min_size=1, max_size=2, unique_by=lambda one: one["name"])),
    }


@st.composite
def bent_documents(draw: st.DrawFn) -> dict[str, Any]:
    """The shortest spec with one bent value in it."""
    document: dict[str, Any] = json.loads(json.dumps(SAMPLE))
    path = draw(st.sampled_from(leaves()))
    place: dict[str, Any] = document
    for step in path[:-1]:
        inner: Any = place.setdefault(step, {})
        place = inner[0] if isinstance(inner, list) else inner
    place[path[-1]] = draw(st.sampled_from(_BENT))
    return document
