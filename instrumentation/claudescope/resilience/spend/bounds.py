"""The most that a request may cost, before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from claudescope.pricing.price_book import PriceBook
from claudescope.probe.response import field_of
from claudescope.resilience.body import blocks, estimate_tokens, sequence, turns, whole
from claudescope.resilience.capabilities.models import Capabilities
from claudescope.schema.record import Usage

__all__ = ["price_bound"]

_ANTHROPIC: Final = "anthropic"
_ONE_HOUR: Final = "1h"


def price_bound(
    body: Mapping[str, Any], model: str, able: Capabilities | None, prices: PriceBook, at: datetime
) -> Decimal | None:
    """The most that one attempt may cost: its input by an estimate, its whole `max_tokens`, its searches.

    Where the request caches, all input counts as written to the cache. It has the list prices of Anthropic's own API.
    A server-side tool that samples again and again may cost more: the API has no bound for it.

    Args:
        body: The request.
        model: The model that it is sent to.
        able: What the model can do; None where that is not known.
        prices: The prices.
        at: When it is sent.

    Returns:
        US dollars; None where no price is known.
    """
    tokens = estimate_tokens(body).likely
    longest = whole(field_of(body, "max_tokens")) or 0
    if able is not None and able.max_tokens is not None:
        longest = min(longest, able.max_tokens)
    ttl = _cached_for(body)
    searches = sum(
        whole(field_of(tool, "max_uses")) or 1
        for tool in sequence(field_of(body, "tools"))
        if str(field_of(tool, "type")).startswith("web_search")
    )
    usage = Usage(
        input_tokens=tokens,
        output_tokens=longest,
        cache_write_5m_tokens=tokens if ttl == "5m" else 0,
        cache_write_1h_tokens=tokens if ttl == _ONE_HOUR else 0,
        server_tools={"web_search": searches} if searches else {},
        speed="fast" if field_of(body, "speed") == "fast" else None,
        inference_geo="us" if field_of(body, "inference_geo") == "us" else None,
    )
    return prices.cost(usage, model=model, provider=_ANTHROPIC, at=at)


def _cached_for(body: Mapping[str, Any]) -> str | None:
    """The longest time to live that the request caches for: `5m` or `1h`; None where it does not cache."""
    found: str | None = None
    for part in _cacheable(body):
        control = field_of(part, "cache_control")
        if control:
            if field_of(control, "ttl") == _ONE_HOUR:
                return _ONE_HOUR
            found = "5m"
    return found


def _cacheable(body: Mapping[str, Any]) -> list[Any]:
    parts: list[Any] = [body, *sequence(field_of(body, "tools")), *sequence(field_of(body, "system"))]
    for turn in turns(body):
        parts += blocks(field_of(turn, "content"))
    return parts
