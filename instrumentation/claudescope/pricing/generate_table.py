"""Writes `table_data.py` from the installed release of genai-prices: `python -m claudescope.pricing.generate_table`."""

from __future__ import annotations

import json
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from claudescope.pricing.table import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["generate"]

_TARGET: Final = Path(__file__).with_name("table_data.py")
_PROVIDERS: Final = ("anthropic", "aws", "google")
_SIGNS: Final = {"equals": "=", "starts_with": "^", "ends_with": "$", "contains": "*", "regex": "~"}

_HEAD: Final = '''"""Claude's prices, from genai-prices {version}. Generated: do not edit.

Written by `python -m claudescope.pricing.generate_table`; `table.py` reads it.
"""

from typing import Final

VERSION: Final = "{version}"
"""The release of genai-prices that the table was generated from."""

MODELS: Final = r"""
{models}
"""
"""A model on each line, as JSON: provider, name, patterns of its names, prices from a day on, and variants."""
'''


def generate() -> str:
    """The text of `table_data.py`.

    Raises:
        ValueError: The library's data has something that the table can't express.
    """
    from genai_prices.data_snapshot import get_snapshot  # takes a quarter of a second

    lines = [
        json.dumps([provider.id, *_row(model)], separators=(",", ":"))
        for provider in get_snapshot().providers
        if provider.id in _PROVIDERS
        for model in provider.models
        if "claude" in model.id
    ]
    return _HEAD.format(version=version("genai-prices"), models="\n".join(lines))


def _row(model: Any) -> Iterable[object]:
    yield model.id
    yield list(_patterns(model.match))
    yield [[_start(constraint), _prices(prices)] for constraint, prices in _conditions(model.prices)]
    yield [
        [variant.when, _start(variant.constraint), _prices(variant.prices)] for variant in model.price_variants or ()
    ]


def _conditions(prices: Any) -> Iterable[tuple[Any, Any]]:
    """The prices of a model with the condition of each; a model with one price has it without a condition."""
    if hasattr(prices, FIELDS[0]):
        return [(None, prices)]
    return [(item.constraint, item.prices) for item in prices]


def _patterns(clause: Any) -> Iterable[str]:
    either = getattr(clause, "or_", None)
    if either is not None:
        for part in either:
            yield from _patterns(part)
        return
    for attribute, sign in _SIGNS.items():
        if hasattr(clause, attribute):
            text: str = getattr(clause, attribute)
            yield sign + (text if attribute == "regex" else text.lower())
            return
    raise ValueError(f"a pattern that the table can't express: {clause!r}")


def _start(constraint: Any) -> str:
    if constraint is None:
        return ""
    start = getattr(constraint, "start_date", None)
    if not isinstance(start, date):
        raise ValueError(f"a condition that the table can't express: {constraint!r}")  # noqa: TRY004 - a value
    return start.isoformat()


def _prices(prices: Any) -> dict[str, object]:
    found: dict[str, object] = {}
    for field in FIELDS:
        price = getattr(prices, field)
        if price is None:
            continue
        tiers = getattr(price, "tiers", None)
        found[field] = (
            str(price) if tiers is None else [str(price.base), *([tier.start, str(tier.price)] for tier in tiers)]
        )
    return found


if __name__ == "__main__":
    _TARGET.write_text(generate(), encoding="utf-8")
    sys.stdout.write(f"wrote {_TARGET}\n")
