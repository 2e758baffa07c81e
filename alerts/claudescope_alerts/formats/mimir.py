"""Namespaces of the rulers of Mimir, Cortex and Grafana Cloud, as their command line tools load them."""

from __future__ import annotations

from typing import Any, Final

from claudescope_alerts.spec.model import Spec

__all__ = ["MAX_RULES", "namespace", "namespace_document"]

MAX_RULES: Final = 20
"""Rules that a group may have: Mimir's default of `ruler_max_rules_per_rule_group`."""


def namespace(spec: Spec) -> str:
    """The ruler's namespace of a spec. `push` changes nothing outside of it."""
    return f"claudescope-{spec.service.name}"


def namespace_document(groups: list[dict[str, Any]], spec: Spec) -> dict[str, Any]:
    """One namespace with all groups. Longer ones are split: each part reads what the others recorded."""
    return {"namespace": namespace(spec), "groups": [part for group in groups for part in _parts(group)]}


def _parts(group: dict[str, Any]) -> list[dict[str, Any]]:
    rules = group["rules"]
    if len(rules) <= MAX_RULES:
        return [group]
    starts = range(0, len(rules), MAX_RULES)
    return [
        {**group, "name": f"{group['name']}-part-{number}", "rules": rules[start : start + MAX_RULES]}
        for number, start in enumerate(starts, 1)
    ]
