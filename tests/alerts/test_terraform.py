"""The generated Terraform holds to the schemas of the real providers, nested keys included."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast
from zoneinfo import available_timezones

import hcl2
import pytest

from claudescope.sentry.as_code import build as build_sentry
from claudescope_alerts.spec.model import Spec
from claudescope_alerts.spec.pagerduty_zones import pagerduty_zone
from tests.alerts.conftest import default_build
from tests.alerts.spec_documents import SAMPLE

_SCHEMAS = Path(__file__).parent / "provider_schemas"
_OF_TERRAFORM = {"lifecycle", "count", "for_each", "depends_on", "provider"}
Json = Mapping[str, Any]


def _keys(values: Json) -> dict[str, Any]:
    return {name.strip('"'): value for name, value in values.items() if not name.startswith("__")}


def _nested(value: Any, attribute: Json, at: str) -> Iterator[str]:
    if "nested_type" not in attribute or not isinstance(value, list | dict):
        return
    inner = attribute["nested_type"]
    items = cast("list[Any]", value) if inner["nesting_mode"] in {"list", "set"} else [value]
    for item in items:
        if isinstance(item, dict):
            yield from _attributes(_keys(cast("Json", item)), inner.get("attributes", {}), at)


def _attributes(values: Json, known: Json, at: str) -> Iterator[str]:
    for name, value in values.items():
        if name not in known:
            yield f"{at}: no attribute {name}"
            continue
        if known[name].get("computed") and not known[name].get("optional"):
            yield f"{at}: {name} is computed"
        yield from _nested(value, known[name], f"{at}.{name}")
    yield from (
        f"{at}: {name} is missing" for name, each in known.items() if each.get("required") and name not in values
    )


def _block(values: Json, schema: Json, at: str) -> Iterator[str]:
    blocks = schema.get("block_types", {})
    inner = {name: value for name, value in values.items() if name in blocks}
    others = {name: value for name, value in values.items() if name not in inner and name not in _OF_TERRAFORM}
    yield from _attributes(others, schema.get("attributes", {}), at)
    for name, each in blocks.items():
        items = inner.get(name, [])
        if len(items) < each.get("min_items", 0) or (each.get("max_items") and len(items) > each["max_items"]):
            yield f"{at}: {len(items)} blocks {name}"
        for item in items:
            yield from _block(_keys(item), each["block"], f"{at}.{name}")


def _mistakes(text: str, provider: str) -> list[str]:
    """Every key that the provider's schema refuses or misses."""
    schema = json.loads((_SCHEMAS / f"{provider}.json").read_text(encoding="utf-8"))
    document = hcl2.loads(text)
    found: list[str] = []
    for kind in ("resource", "data"):
        for entry in document.get(kind, []):
            for type_, named in _keys(entry).items():
                for name, body in _keys(named).items():
                    if type_ not in schema[kind]:
                        found.append(f"{type_}.{name}: not in the extract of the provider's schema")
                        continue
                    found += _block(_keys(body), schema[kind][type_], f"{type_}.{name}")
    return found


_GENERATED: dict[str, Callable[[], str]] = {
    "pagerduty": lambda: default_build()["pagerduty/main.tf"],
    "sentry": lambda: next(text for name, text in build_sentry().items() if name.endswith(".tf")),
}


@pytest.mark.parametrize("provider", _GENERATED)
def test_every_key_is_known_to_the_provider(provider: str) -> None:
    """No unknown, missing or computed key at any depth; and a misspelt nested one is found."""
    text = _GENERATED[provider]()
    assert _mistakes(text, provider) == []
    nested = "to_urgency" if provider == "pagerduty" else "tagged_event"
    assert _mistakes(text.replace(nested, nested + "s"), provider)


def test_every_time_zone_has_a_name_at_pagerduty_or_is_refused() -> None:
    """`UTC` is `Etc/UTC`; a zone whose clock PagerDuty lacks is refused where PagerDuty needs it."""
    assert pagerduty_zone("UTC") == pagerduty_zone("Etc/UTC") == "Etc/UTC"
    assert 'time_zone    = "Etc/UTC"' in _GENERATED["pagerduty"]()
    missing = {zone for zone in available_timezones() - {"Factory", "localtime"} if pagerduty_zone(zone) is None}
    assert len(missing) < 40
    for zone in sorted(missing):
        hours = {"zone": zone, "hold": "pagerduty"}
        with pytest.raises(ValueError, match="PagerDuty has no time zone"):
            Spec.model_validate({**SAMPLE, "routing": {"ticket": {"hours": hours}}})
