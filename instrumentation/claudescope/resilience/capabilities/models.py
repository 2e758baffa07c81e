"""What each model can do: the committed table, and what the models endpoint said since."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, Literal, cast

from claudescope.pricing.genai_prices import model_names
from claudescope.resilience.capabilities.table_data import MODELS
from claudescope.schema.retired_models import is_retired

__all__ = ["EFFORTS", "Book", "Capabilities", "Refusal", "load_table"]

Refusal = Literal[
    "prefill", "sampling", "forced_tools", "fast", "system_messages", "structured", "images", "documents", "thinking"
]
"""What a model answers with a 400."""

EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")
_MOST_MODELS: Final = 500


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one model can do.

    Attributes:
        model: Its name without a date.
        max_input_tokens: The longest input; None where it is not known.
        max_tokens: The longest output, thinking included; None where it is not known.
        thinking: The accepted values of `thinking.type`; None where they are not known.
        effort: The accepted values of `output_config.effort`; None where they are not known.
        refuses: What gets a 400.
        retires_on: The day of its end; None where none is known.
        retired: Whether the API has said that it is retired.
        source: `table`, or `api` where the models endpoint said so.
    """

    model: str
    max_input_tokens: int | None = None
    max_tokens: int | None = None
    thinking: frozenset[str] | None = None
    effort: frozenset[str] | None = None
    refuses: frozenset[str] = frozenset()
    retires_on: date | None = None
    retired: bool = False
    source: Literal["table", "api"] = "table"


@lru_cache(maxsize=1)
def load_table() -> Mapping[str, Capabilities]:
    """The committed table, by model name."""
    rows = [json.loads(line) for line in MODELS.strip().splitlines()]
    return {row[0]: _from_row(row) for row in rows}


def _from_row(row: list[Any]) -> Capabilities:
    name, window, longest, thinking, effort, refuses, end = row
    end_day = None if end is None else date.fromisoformat(end)
    return Capabilities(name, window, longest, frozenset(thinking), frozenset(effort), frozenset(refuses), end_day)


class Book:
    """Finds what a model can do. What the API says of a model goes before the table."""

    def __init__(self) -> None:
        self._learned: dict[str, Capabilities] = {}

    def find(self, model: str) -> Capabilities | None:
        """What a model can do.

        Args:
            model: Its name in any platform's spelling.

        Returns:
            None for a model that is not known, of which nothing can be said. Never raises.
        """
        names = model_names(model)[1]
        for known in (self._learned, load_table()):
            for name in names:
                if name in known:
                    return known[name]
        if is_retired(model):
            return Capabilities(model, retired=True)
        return None

    def learn(self, listed: Iterable[object]) -> int:
        """Take what the models endpoint lists. What it leaves out stays as the table has it. Never raises.

        Args:
            listed: Its objects, as JSON has them.

        Returns:
            How many were taken.
        """
        table, taken = load_table(), dict[str, Capabilities]()
        for item in listed:
            if len(taken) >= _MOST_MODELS:
                break
            entry = _from_api(item, table)
            if entry is not None:
                taken[entry.model] = entry
        if taken:
            self._learned = taken  # in one step, as other threads read it
        return len(taken)


def _from_api(item: object, table: Mapping[str, Capabilities]) -> Capabilities | None:
    if not isinstance(item, dict):
        return None
    info = cast("dict[str, Any]", item)
    name = info.get("id")
    if not isinstance(name, str) or not name or len(name) > 200:
        return None
    own = model_names(name)[1]
    known = next((table[each] for each in own if each in table), Capabilities(name))
    window, longest = info.get("max_input_tokens"), info.get("max_tokens")
    able = _support(info.get("capabilities"))
    thinking, effort = known.thinking, known.effort
    if "thinking" in able:
        types = _support(able["thinking"].get("types"))
        thinking = frozenset(key for key, value in types.items() if value.get("supported") is True) or thinking
        if able["thinking"].get("supported") is False:
            thinking = frozenset({"disabled"})
    if "effort" in able:
        levels = _support(able["effort"])
        effort = frozenset(level for level in EFFORTS if levels.get(level, {}).get("supported") is True)
    refuses = set(known.refuses)
    for key, refusal in (("image_input", "images"), ("pdf_input", "documents"), ("structured_outputs", "structured")):
        if key in able:
            (refuses.discard if able[key].get("supported") is True else refuses.add)(refusal)
    return Capabilities(
        own[-1] if own else name,
        window if isinstance(window, int) and window > 0 else known.max_input_tokens,
        longest if isinstance(longest, int) and longest > 0 else known.max_tokens,
        thinking,
        effort,
        frozenset(refuses),
        _day(info.get("retires_at")) or known.retires_on,
        info.get("lifecycle") == "retired",
        "api",
    )


def _support(value: object) -> dict[str, dict[str, Any]]:
    """The entries of a capability that are objects."""
    if not isinstance(value, dict):
        return {}
    entries = cast("dict[str, Any]", value)
    return {key: cast("dict[str, Any]", entry) for key, entry in entries.items() if isinstance(entry, dict)}


def _day(value: object) -> date | None:
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).date() if isinstance(value, str) else None
    except ValueError:
        return None
