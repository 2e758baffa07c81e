"""What inference in a region costs, as the API, the client or the model's name states it."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

import pytest

from claudescope._internal.exceptions import BadInputError
from claudescope.pricing.price_book import Price, PriceBook
from claudescope.schema.record import Usage

_AT = datetime(2026, 11, 1, tzinfo=timezone.utc)


def _cost(
    usage: Usage,
    model: str = "claude-opus-5-5",
    provider: str = "anthropic",
    region: str | None = None,
    prices: PriceBook | None = None,
) -> Decimal | None:
    return (prices or PriceBook()).cost(usage, model=model, provider=provider, at=_AT, region=region)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(1_000, 500, inference_geo="us"), "0.0154"),
        (Usage(1_000, 500, inference_geo="global"), "0.014"),
        (Usage(1_000, 500, inference_geo="not_available"), "0.014"),
        (Usage(1_000, 500, service_tier="batch", inference_geo="us"), "0.0077"),
        (Usage(1_000, 500, speed="fast", inference_geo="us"), "0.0308"),
        (Usage(11_000, 500, 10_000, inference_geo="us"), "0.0176"),
        (Usage(4_000, 500, 0, 1_000, 2_000, inference_geo="us"), "0.0385"),
        (Usage(1_000, 500, server_tools={"web_search": 2}, inference_geo="us"), "0.0354"),
        (Usage(1_000, 500, service_tier="priority", inference_geo="us"), "0.0154"),
    ],
)
def test_inference_in_the_us(usage: Usage, cost: str) -> None:
    """Every price of tokens is 1.1 times as high, in a batch and in fast mode too; the fee of searches is not."""
    assert _cost(usage) == Decimal(cost)


def test_a_tier_in_the_us() -> None:
    """The multiplier is that of the tier that applies."""
    assert _cost(Usage(100_001, 100, inference_geo="us"), "claude-haiku-5-5") == Decimal("0.05527555")


def test_an_unknown_geography_is_unpriced() -> None:
    """A geography whose price is not known gives no price, rather than one that may be too low."""
    assert _cost(Usage(1_000, 500, inference_geo="eu")) is None


@pytest.mark.parametrize(
    ("region", "model", "cost"),
    [
        ("us-east5", "claude-sonnet-5-5", "0.0077"),
        ("us", "claude-sonnet-4-5@20250929", "0.01155"),
        ("asia-southeast1", "claude-opus-4-5@20251101", "0.01925"),
        ("global", "claude-sonnet-4-5@20250929", "0.0105"),
        (None, "claude-sonnet-5-5", "0.007"),
        ("us-east5", "claude-sonnet-5", "0.0077"),  # not in Google's list, but in Anthropic's
        ("us-east5", "claude-opus-4-1@20250805", "0.0525"),
        ("us-east5", "claude-opus-4@20250514", "0.0525"),
        ("us-east5", "claude-3-7-sonnet@20250219", "0.0105"),
    ],
)
def test_regions_of_vertex(region: str | None, model: str, cost: str) -> None:
    """Regional and multi-region endpoints have a premium since Claude 4.5."""
    assert _cost(Usage(1_000, 500), model, "gcp.vertex_ai", region) == Decimal(cost)


@pytest.mark.parametrize(
    ("model", "cost"),
    [
        ("anthropic.claude-opus-5-5", "0.0154"),
        ("us.anthropic.claude-opus-5-5", "0.0154"),
        ("global.anthropic.claude-opus-5-5", "0.014"),
        ("claude-sonnet-5-5", "0.0077"),
        # Known by this name to Anthropic's list alone.
        ("anthropic.claude-sonnet-4-5", "0.01155"),
        ("eu.anthropic.claude-haiku-4-5", "0.00385"),
        ("global.anthropic.claude-haiku-4-5", "0.0035"),
        ("anthropic.claude-sonnet-4-0", "0.0105"),
        ("anthropic.unheard-of", None),
    ],
)
def test_regions_of_bedrock(model: str, cost: str | None) -> None:
    """The name tells the region, and the premium is there once, whoever's price list has the model."""
    found = _cost(Usage(1_000, 500), model, "aws.bedrock")
    assert found == (None if cost is None else Decimal(cost))


def test_a_platforms_region_counts_alone() -> None:
    """Where the platform's region decides, `inference_geo` does not add to it."""
    usage = Usage(1_000, 500, inference_geo="us")
    assert _cost(usage, "claude-sonnet-5-5", "gcp.vertex_ai", "us-east5") == Decimal("0.0077")
    assert _cost(usage, "us.anthropic.claude-opus-5-5", "aws.bedrock") == Decimal("0.0154")


def test_a_price_of_your_own() -> None:
    """It has the published multiplier, or its own."""
    usage = Usage(1_000, 0, inference_geo="us")
    assert _cost(usage, prices=PriceBook({"claude-opus-5-5": Price(10, 20)})) == Decimal("0.011")
    flat = PriceBook({"claude-opus-5-5": {"input": 10, "output": 20, "regional_multiplier": 1}})
    assert _cost(usage, prices=flat) == Decimal("0.01")
    with pytest.raises(BadInputError, match="regional_multiplier"):
        Price(1, 2, regional_multiplier="much")
