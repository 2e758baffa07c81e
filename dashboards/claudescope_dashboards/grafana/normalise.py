"""Removes from grafanalib's output what current versions of Grafana do not save: nulls and outdated keys."""

from __future__ import annotations

from typing import Any, Final, cast

__all__ = ["normalise"]

_OUTDATED: Final = {
    "dashboard": {"__inputs", "gnetId", "hideControls", "id", "rows", "sharedCrosshair", "style"},
    "panel": {
        "cacheTimeout",
        "color",
        "columns",
        "editable",
        "error",
        "fontSize",
        "height",
        "hideTimeOverride",
        "interval",
        "mappings",
        "maxDataPoints",
        "minSpan",
        "span",
    },
    "variable": {"auto", "auto_count", "auto_min", "tagValuesQuery", "tagsQuery", "useTags"},
}
"""Keys that grafanalib always prints and that Grafana 9 and later ignore."""

_OUTDATED_IN_TABLES: Final = {"displayMode"}
_EMPTY: Final = {"panel": {"links", "transformations"}, "variable": {"options"}}


def normalise(dashboard: dict[str, Any]) -> dict[str, Any]:
    """Remove outdated keys, nulls and empty lists.

    The null of a threshold's first step is kept: it stands for minus infinity.

    Args:
        dashboard: Decoded JSON of grafanalib.
    """
    result = _without(dashboard, _OUTDATED["dashboard"])
    result["panels"] = [_panel(panel) for panel in result["panels"]]
    result["templating"] = {
        "list": [_trimmed(variable, "variable") for variable in result["templating"]["list"]],
    }
    return cast("dict[str, Any]", _without_nulls(result))


def _panel(panel: dict[str, Any]) -> dict[str, Any]:
    result = _trimmed(panel, "panel")
    if result["type"] == "row":
        kept = {"id", "type", "title", "gridPos", "collapsed", "panels"}
        return {key: value for key, value in result.items() if key in kept}
    custom = result["fieldConfig"]["defaults"].get("custom")
    if result["type"] == "table" and custom:
        result["fieldConfig"]["defaults"]["custom"] = _without(custom, _OUTDATED_IN_TABLES)
    elif not custom:
        result["fieldConfig"]["defaults"].pop("custom", None)
    return result


def _trimmed(value: dict[str, Any], part: str) -> dict[str, Any]:
    result = _without(value, _OUTDATED[part])
    return {key: item for key, item in result.items() if item or key not in _EMPTY[part]}


def _without(value: dict[str, Any], keys: set[str]) -> dict[str, Any]:
    return {key: item for key, item in value.items() if key not in keys}


def _without_nulls(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value)
        return {
            name: _without_nulls(item, name)
            for name, item in pairs.items()
            if item is not None or (key == "steps" and name == "value")
        }
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        return [_without_nulls(item, key) for item in items]
    return value
