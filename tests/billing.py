"""What the simulator billed, in money."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from claudescope.pricing.price_book import PriceBook
from claudescope.schema.record import Usage
from claudescope.simulator.ledger import Ledger

__all__ = ["cost"]


def cost(ledger: Ledger) -> Decimal:
    """The price of all tokens of a ledger, in US dollars, at today's prices."""
    prices = PriceBook()
    total = Decimal(0)
    for model, tokens in ledger.tokens_by_model.items():
        cached = tokens.cache_read + tokens.cache_write_5m + tokens.cache_write_1h
        usage = Usage(tokens.input + cached, tokens.output, tokens.cache_read, tokens.cache_write_5m)
        price = prices.cost(usage, model=model, provider="anthropic", at=dt.datetime.now(dt.timezone.utc))
        assert price is not None
        total += price
    return total
