"""Pagination of lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from claudescope.simulator.requests import invalid

__all__ = ["page"]


def page(items: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """Return one page of a list.

    Args:
        items: The whole list, in the order of the pages. Each item has an `id`.
        query: `limit` (1 to 1000; 20 by default), `after_id` and `before_id`.

    Raises:
        ApiError: 400 for an invalid limit or an unknown id.
    """
    text = query.get("limit", "20")
    limit = int(text) if text.isdigit() else 0
    if not 1 <= limit <= 1000:
        raise invalid("limit: Input should be a valid integer between 1 and 1000")
    ids = [str(item["id"]) for item in items]
    for name in ("after_id", "before_id"):
        if name in query and query[name] not in ids:
            raise invalid(f"{name}: Invalid cursor")
    if "before_id" in query:
        end = ids.index(query["before_id"])
        start = max(0, end - limit)
        more = start > 0
    else:
        start = ids.index(query["after_id"]) + 1 if "after_id" in query else 0
        end = start + limit
        more = end < len(ids)
    data = list(items[start:end])
    return {
        "data": data,
        "has_more": more,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
    }
