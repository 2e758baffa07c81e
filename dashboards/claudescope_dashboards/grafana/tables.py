"""Tables of numbers: one row for each combination of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from claudescope_dashboards.grafana.grafanalib_ext import (
    DATASOURCE,
    Column,
    Json,
    Panel,
    Query,
    core,
    defaults_of,
    override,
    targets_of,
    thresholds_of,
)

__all__ = ["Column", "table"]


def table(
    title: str,
    *columns: Column,
    labels: Mapping[str, str],
    description: str,
    sort: str,
    links: Mapping[str, Sequence[Json]] | None = None,
    texts: Mapping[str, Mapping[str, str]] | None = None,
    widths: Mapping[str, int] | None = None,
    empty: str | None = None,
) -> Panel:
    """Make a table of values over the whole time range, one row for each combination of labels.

    Args:
        title: Title of the panel.
        columns: The columns of numbers.
        labels: Heading by name of the label. These are the first columns.
        description: What the panel shows, and what to do.
        sort: Heading of the column to sort by, largest value first.
        links: Links of the values of a column, by heading.
        texts: Text to show for each value of a column, by heading. Long texts are wrapped.
        widths: Widths in pixels by heading. The other columns share the remaining width.
        empty: Text that is shown without data.
    """
    targets = targets_of([Query(column.query, instant=True, format="table") for column in columns])
    # Grafana names the only column of values "Value", and several by their queries.
    fields = ["Value"] if len(columns) == 1 else [f"Value #{target.refId}" for target in targets]
    by_field = dict(zip(fields, columns, strict=True))
    titles = [column.title for column in columns]
    return core.Table(
        title=title,
        description=description,
        dataSource=DATASOURCE,
        targets=targets,
        overrides=[
            *(_number_format(column) for column in columns),
            # Else each cell without a value would have the text for a table without rows.
            *(
                override(name, {"id": "noValue", "value": "-"})
                for name in (*labels.values(), *titles)
                if empty and name
            ),
            *(override(name, {"id": "links", "value": list(found)}) for name, found in (links or {}).items()),
            *(_value_texts(name, shown) for name, shown in (texts or {}).items()),
            *(override(name, {"id": "custom.width", "value": width}) for name, width in (widths or {}).items()),
        ],
        transformations=[
            *([] if len(columns) == 1 else [{"id": "merge", "options": {}}]),
            {"id": "organize", "options": _organise(labels, by_field)},
        ],
        extraJson={
            "fieldConfig": {
                "defaults": {
                    **defaults_of("short", colour="thresholds", empty=empty),
                    "custom": {"cellOptions": {"type": "auto"}, "inspect": False, "minWidth": 60},
                }
            },
            "options": {
                "cellHeight": "sm",
                "frameIndex": 0,
                "showTypeIcons": False,
                "sortBy": [{"desc": True, "displayName": sort}],
                "showHeader": True,
            },
        },
    )


def _number_format(column: Column) -> Json:
    """Make the override for the unit and the colours of a column of numbers."""
    properties: list[Json] = [{"id": "unit", "value": column.unit}]
    if column.decimals is not None:
        properties.append({"id": "decimals", "value": column.decimals})
    if column.mappings:
        properties.append({"id": "mappings", "value": list(column.mappings)})
    if column.steps:
        properties += [
            {"id": "thresholds", "value": thresholds_of(column.steps)},
            {"id": "custom.cellOptions", "value": {"type": "color-text"}},
        ]
    return override(column.title, *properties)


def _value_texts(heading: str, texts: Mapping[str, str]) -> Json:
    """Make the override that shows a text for each value of a column."""
    mapping = {"type": "value", "options": {value: {"text": text} for value, text in texts.items()}}
    return override(
        heading,
        {"id": "mappings", "value": [mapping]},
        {"id": "custom.cellOptions", "value": {"type": "auto", "wrapText": True}},
    )


def _organise(labels: Mapping[str, str], by_field: Mapping[str, Column]) -> Json:
    """Make the options of Grafana's transformation that orders, renames and hides fields."""
    headings = {**labels, **{field: column.title for field, column in by_field.items()}}
    hidden = {field: True for field, column in by_field.items() if not column.title}
    return {
        "excludeByName": {"Time": True} | hidden,
        "indexByName": {field: place for place, field in enumerate(headings)},
        "renameByName": headings,
        "includeByName": {},
    }
