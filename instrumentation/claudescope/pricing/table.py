"""Claude's prices without genai-prices: the committed table, in the shape of that library's data.

The library takes a quarter of a second to import, and several seconds where a container has a fraction of a CPU. The
table takes a millisecond, so no call waits for prices.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from claudescope.pricing.table_data import MODELS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FIELDS", "Table", "TablePrices", "TieredPrice", "load_table"]

FIELDS: Final = (
    "input_mtok",
    "output_mtok",
    "cache_read_mtok",
    "cache_write_mtok",
    "cache_write_5m_mtok",
    "cache_write_1h_mtok",
    "web_searches_kcount",
)
"""The library's prices that a call to Claude can need."""


class _Tier:
    def __init__(self, start: int, price: Decimal) -> None:
        self.start = start
        self.price = price


class TieredPrice:
    """A price that depends on a call's input: `base`, and `tiers` above a number of tokens."""

    def __init__(self, base: Decimal, tiers: list[_Tier]) -> None:
        self.base = base
        self.tiers = tiers


class TablePrices:
    """Prices in US dollars per million tokens, and per thousand web searches; None where there is none."""

    input_mtok: Decimal | TieredPrice | None = None
    output_mtok: Decimal | TieredPrice | None = None
    cache_read_mtok: Decimal | TieredPrice | None = None
    cache_write_mtok: Decimal | TieredPrice | None = None
    cache_write_5m_mtok: Decimal | TieredPrice | None = None
    cache_write_1h_mtok: Decimal | TieredPrice | None = None
    web_searches_kcount: Decimal | TieredPrice | None = None

    def __init__(self, *given: Mapping[str, Any]) -> None:
        for prices in given:
            for field, price in prices.items():
                setattr(self, field, Decimal(price) if isinstance(price, str) else _tiered(price))


def _tiered(price: list[Any]) -> TieredPrice:
    base, *tiers = price
    return TieredPrice(Decimal(base), [_Tier(start, Decimal(amount)) for start, amount in tiers])


class _Constraint:
    def __init__(self, start_date: date) -> None:
        self.start_date = start_date


class _Conditional:
    """Prices, or changes of prices, that apply from a day on."""

    def __init__(self, start: str, prices: Mapping[str, Any], when: Mapping[str, str] | None = None) -> None:
        self.constraint = _Constraint(date.fromisoformat(start)) if start else None
        self.prices = prices
        self.when = when or {}

    def applies(self, at: datetime) -> bool:
        return self.constraint is None or at.date() >= self.constraint.start_date


class TableModel:
    """A model of the table."""

    def __init__(self, id_: str, patterns: list[str], prices: list[Any], variants: list[Any]) -> None:
        self.id = id_
        self._patterns = patterns
        self.prices = [_Conditional(*item) for item in prices]
        self.price_variants = [_Conditional(start, changes, when) for when, start, changes in variants]

    def is_match(self, name: str) -> bool:
        """Whether a name, in lower case, is one of this model's."""
        return any(_matches(pattern[0], pattern[1:], name) for pattern in self._patterns)

    def get_prices(self, at: datetime, context: Mapping[str, str] | None = None) -> TablePrices:
        """The prices of a moment in UTC. What `context` tells selects variants; of two, the first wins."""
        standard = next((item for item in reversed(self.prices) if item.applies(at)), self.prices[0])
        variants = [
            variant.prices
            for variant in self.price_variants
            if context and variant.applies(at) and all(context.get(key) == value for key, value in variant.when.items())
        ]
        return TablePrices(standard.prices, *reversed(variants))


def _matches(sign: str, text: str, name: str) -> bool:
    if sign == "=":
        return name == text
    if sign == "^":
        return name.startswith(text)
    if sign == "$":
        return name.endswith(text)
    if sign == "*":
        return text in name
    return re.search(text, name) is not None


class TableProvider:
    """A provider of the table."""

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.models: list[TableModel] = []

    def find_model(self, name: str) -> TableModel | None:
        """The first model that has this name."""
        lower = name.lower()
        return next((model for model in self.models if model.is_match(lower)), None)


class Table:
    """All prices of the table."""

    def __init__(self, lines: str) -> None:
        providers: dict[str, TableProvider] = {}
        for line in lines.strip().splitlines():
            provider, *row = json.loads(line)
            providers.setdefault(provider, TableProvider(provider)).models.append(TableModel(*row))
        self.providers = list(providers.values())


@lru_cache(maxsize=1)
def load_table() -> Table:
    """The table, parsed at the first call that is priced."""
    return Table(MODELS)
