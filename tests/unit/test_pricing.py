"""Calls cost what the price library says to the last digit, faster, and what is not known is never free."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal, getcontext, localcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import genai_prices
import pytest
from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)
from hypothesis import given
from hypothesis import strategies as st

from claudescope._internal import internal_errors
from claudescope._internal.exceptions import BadInputError
from claudescope.pricing import genai_prices as price_library
from claudescope.pricing import price_book
from claudescope.pricing.genai_prices import Library, model_names
from claudescope.pricing.price_book import PriceBook
from claudescope.pricing.rates import Price
from claudescope.schema.record import Usage

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Use: TypeAlias = Callable[[Callable[[], DataSnapshot]], Library]

NOW = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
BOOK = PriceBook()
PLATFORMS = {"anthropic": "anthropic", "aws": "aws.bedrock", "google": "gcp.vertex_ai"}

# Every Claude model of the library, with a name under which the platform's own users know it.
CLAUDE_MODELS = [
    (model.id.replace("regional.", "us."), PLATFORMS[provider.id], model, provider)
    for provider in get_snapshot().providers
    if provider.id in PLATFORMS
    for model in provider.models
    if "claude" in model.id
]

TOKENS = st.integers(0, 400_000) | st.integers(0, 10**13)


def usage_of(
    fresh: int,
    read: int,
    write_5m: int,
    write_1h: int,
    output: int,
    searches: int,
    tier: str | None,
    speed: str | None,
) -> Usage:
    """Usage whose input is the sum of its parts."""
    return Usage(
        input_tokens=fresh + read + write_5m + write_1h,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_5m_tokens=write_5m,
        cache_write_1h_tokens=write_1h,
        server_tools={"web_search": searches, "web_fetch": 7},
        service_tier=tier,
        speed=speed,
    )


USAGES = st.builds(
    usage_of,
    *[TOKENS] * 5,
    st.integers(0, 10_000),
    st.sampled_from([None, "standard", "priority", "batch"]),
    st.sampled_from([None, "standard", "fast"]),
)
TIMES = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.just(timezone.utc))  # noqa: DTZ001


def library_usage(usage: Usage) -> genai_prices.Usage:
    """Our usage as the library's."""
    return genai_prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        cache_write_5m_tokens=usage.cache_write_5m_tokens,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        web_searches=usage.server_tools.get("web_search", 0),
    )


def library_context(usage: Usage) -> dict[str, str]:
    """What the library wants to know beside the usage."""
    batch = {"processing": "batch"} if usage.service_tier == "batch" else {}
    return batch | ({"speed": "fast"} if usage.speed == "fast" else {})


def cost(
    usage: Usage,
    model: str = "claude-opus-5-5",
    *,
    book: PriceBook = BOOK,
    provider: str = "anthropic",
    at: datetime = NOW,
) -> Decimal | None:
    """What the usage costs."""
    return book.cost(usage, model=model, provider=provider, at=at)


@pytest.mark.parametrize(
    ("name", "provider", "model"),
    [row[:3] for row in CLAUDE_MODELS],
    ids=[f"{row[1]}:{row[0]}" for row in CLAUDE_MODELS],
)
def test_every_claude_model_is_found(name: str, provider: str, model: ModelInfo) -> None:
    """Every Claude model of the library is resolved to itself under its platform's name."""
    found = BOOK.resolve(name, provider, NOW)
    assert found is not None
    assert model.id == found.model_id


@given(case=st.sampled_from(CLAUDE_MODELS), usage=USAGES, at=TIMES)
def test_agrees_with_the_library(case: tuple[str, str, ModelInfo, Provider], usage: Usage, at: datetime) -> None:
    """Every usage of every model in every context on every day costs what the library says, to the digit."""
    name, provider, model, owner = case
    expected = model.calc_price(
        library_usage(usage), owner, genai_request_timestamp=at, price_context=library_context(usage)
    )
    assert expected.total_price == cost(usage, name, provider=provider, at=at)


@given(name=st.sampled_from([row[0] for row in CLAUDE_MODELS if row[1] == "anthropic"]), usage=USAGES, at=TIMES)
def test_agrees_with_the_librarys_front_door(name: str, usage: Usage, at: datetime) -> None:
    """For Anthropic's own API the library's `calc_price` finds the same model and the same price."""
    expected = genai_prices.calc_price(
        library_usage(usage),
        name,
        provider_id="anthropic",
        genai_request_timestamp=at,
        price_context=library_context(usage),
    )
    assert expected.total_price == cost(usage, name, at=at)


@given(
    st.builds(Usage, *[st.integers(-(10**6), 10**6)] * 6, st.dictionaries(st.just("web_search"), st.integers(-9, 9)))
)
def test_contradictory_usage_is_mended(usage: Usage) -> None:
    """Whatever the counts, the price is a number that is not negative."""
    price = cost(usage)
    assert price is not None
    assert price >= 0


@pytest.mark.parametrize(
    ("usage", "mended"),
    [
        (Usage(-5, 10), Usage(0, 10)),
        (Usage(10, -5), Usage(10, 0)),
        (Usage(10, 0, cache_read_tokens=30), Usage(30, 0, cache_read_tokens=30)),
        (Usage(10, 0, cache_read_tokens=-3), Usage(10, 0)),
        (Usage(10, 0, cache_write_5m_tokens=-3), Usage(10, 0)),
        (Usage(10, 0, cache_write_1h_tokens=-3), Usage(10, 0)),
        (
            Usage(0, 0, cache_read_tokens=1, cache_write_5m_tokens=2, cache_write_1h_tokens=3),
            Usage(6, 0, cache_read_tokens=1, cache_write_5m_tokens=2, cache_write_1h_tokens=3),
        ),
        (Usage(10, 0, server_tools={"web_search": -1}), Usage(10, 0)),
    ],
)
def test_how_usage_is_mended(usage: Usage, mended: Usage) -> None:
    """A negative count is 0, and input is never less than its cached parts."""
    assert cost(mended) == cost(usage)


def test_one_call_by_hand() -> None:
    """The price of one call, worked out by hand from the published prices of Claude Opus 5.5."""
    usage = Usage(
        10_000,
        500,
        cache_read_tokens=6000,
        cache_write_5m_tokens=2000,
        cache_write_1h_tokens=1000,
        server_tools={"web_search": 2, "code_execution": 9},
    )
    dollars = (1000 * 4 + 500 * 20 + 6000 * Decimal("0.2") + 2000 * 5 + 1000 * 8) / 1_000_000 + 2 * Decimal(10) / 1000
    assert dollars == cost(usage)


def test_one_hour_writes_cost_more_than_five_minute_ones() -> None:
    """The two lifetimes of a cache write have two prices."""
    assert Decimal("0.005") == cost(Usage(1000, cache_write_5m_tokens=1000))
    assert Decimal("0.008") == cost(Usage(1000, cache_write_1h_tokens=1000))


def test_nothing_costs_nothing() -> None:
    """A known model and no usage cost a plain 0."""
    assert str(cost(Usage())) == "0"


@pytest.mark.parametrize("usage", [Usage(), Usage(1, 1)])
def test_unknown_is_not_free(usage: Usage) -> None:
    """An unknown model has no price, not even for nothing."""
    assert None is cost(usage, "claude-quux-9")
    assert None is BOOK.resolve("claude-quux-9", "anthropic", NOW)


@pytest.mark.parametrize(("tokens", "price"), [(100_000, "0.01"), (100_001, "0.0500005"), (99_999, "0.0099999")])
def test_tier_starts_above_its_threshold(tokens: int, price: str) -> None:
    """A call above the threshold pays the higher price for all of its tokens, one at it does not."""
    assert Decimal(price) == cost(Usage(tokens), "claude-haiku-5-5")


def test_tier_counts_cached_input() -> None:
    """The threshold is of all input, cached or not."""
    assert Decimal("0.01") == cost(Usage(200_000, cache_read_tokens=200_000), "claude-haiku-5-5")


def test_prices_of_their_day() -> None:
    """A call is charged what held on its day in UTC, whatever its time zone, in any order of days."""
    usage = Usage(300_000)
    long_context, flat = Decimal(3), Decimal("1.5")
    west = timezone(timedelta(hours=-8))
    cases = [
        (datetime(2026, 3, 12, 23, 59, tzinfo=timezone.utc), long_context),
        (datetime(2026, 3, 13, tzinfo=timezone.utc), flat),
        (datetime(2026, 3, 12, 23, 59, tzinfo=timezone.utc), long_context),
        (datetime(2026, 3, 12, 16, tzinfo=west), flat),
        (datetime(2026, 3, 12, 15, 59, tzinfo=west), long_context),
        (datetime(2026, 3, 13), flat),  # noqa: DTZ001 - without a time zone it is UTC
    ]
    assert [price for _, price in cases] == [cost(usage, "claude-opus-4-6", at=at) for at, _ in cases]


# The name as sent, the provider, the library's provider and model, and the price of a million input tokens.
SPELLINGS = [
    ("claude-opus-5-5", "anthropic", "anthropic", "claude-opus-5-5", "4"),
    ("claude-opus-5-5-20260921", "anthropic", "anthropic", "claude-opus-5-5", "4"),
    ("claude-opus-5-5-2026-09-21", "anthropic", "anthropic", "claude-opus-5-5", "4"),
    ("claude-opus-5-5-latest", "anthropic", "anthropic", "claude-opus-5-5", "4"),
    ("Claude-Opus-5-5", "anthropic", "anthropic", "claude-opus-5-5", "4"),
    ("anthropic/claude-opus-5-5", "anthropic", "anthropic", "claude-opus-5-5", "4"),
    ("claude-opus-5-5", "a.gateway", "anthropic", "claude-opus-5-5", "4"),
    ("us.anthropic.claude-opus-5-5", "a.gateway", "anthropic", "claude-opus-5-5", "4"),
    ("anthropic.claude-opus-5-5-v1:0", "aws.bedrock", "aws", "regional.anthropic.claude-opus-5-5", "4.4"),
    ("us.anthropic.claude-opus-5-5-v1:0", "aws.bedrock", "aws", "regional.anthropic.claude-opus-5-5", "4.4"),
    ("us.anthropic.claude-opus-5-5", "aws.bedrock", "aws", "regional.anthropic.claude-opus-5-5", "4.4"),
    ("us-gov.anthropic.claude-opus-5-5", "aws.bedrock", "aws", "regional.anthropic.claude-opus-5-5", "4.4"),
    ("xx.anthropic.claude-opus-5-5-v1:0", "aws.bedrock", "aws", "regional.anthropic.claude-opus-5-5", "4.4"),
    ("global.anthropic.claude-opus-5-5-v1:0", "aws.bedrock", "aws", "global.anthropic.claude-opus-5-5", "4"),
    ("global.anthropic.claude-opus-4-1-v9:0", "aws.bedrock", "anthropic", "claude-opus-4-1", "15"),
    (
        "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "aws.bedrock",
        "aws",
        "regional.anthropic.claude-haiku-4-5-20251001-v1:0",
        "1.1",
    ),
    (
        "anthropic.claude-3-haiku-20240307-v1:0:200k",
        "aws.bedrock",
        "aws",
        "regional.anthropic.claude-3-haiku-20240307-v1:0",
        "0.25",
    ),
    ("anthropic.claude-v2:1", "aws.bedrock", "anthropic", "claude-2", "8"),
    (
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-5-5-v1:0",
        "aws.bedrock",
        "aws",
        "regional.anthropic.claude-opus-5-5",
        "4.4",
    ),
    (
        "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/anthropic.claude-opus-5-5-v1:0",
        "aws.bedrock",
        "aws",
        "regional.anthropic.claude-opus-5-5",
        "4.4",
    ),
    ("claude-sonnet-4-5@20250929", "gcp.vertex_ai", "google", "claude-sonnet-4-5", "3"),
    ("claude-opus-5-5@default", "gcp.vertex_ai", "google", "claude-opus-5-5", "4"),
    (
        "projects/p/locations/l/publishers/anthropic/models/claude-opus-5-5@20260921",
        "gcp.vertex_ai",
        "google",
        "claude-opus-5-5",
        "4",
    ),
    ("claude-opus-5-5", "azure.ai.foundry", "anthropic", "claude-opus-5-5", "4"),
]


@pytest.mark.parametrize(("name", "provider", "owner", "model_id", "price"), SPELLINGS)
def test_spellings(name: str, provider: str, owner: str, model_id: str, price: str) -> None:
    """Each platform's spelling is the model's own price there, or else Anthropic's."""
    found = BOOK.resolve(name, provider, NOW)
    assert found is not None
    assert ("genai-prices", owner, model_id) == (found.source, found.provider_id, found.model_id)
    assert Decimal(price) == found.price.input
    assert Decimal(price) / 10**6 == cost(Usage(1), name, provider=provider)


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123claude", "aws.bedrock"),
        ("arn:aws:bedrock:us-east-1:123456789012:provisioned-model/claude-opus-5-5", "aws.bedrock"),
        ("prod-chat", "azure.ai.foundry"),
        ("gpt-4o", "azure.ai.foundry"),
        ("amazon.nova-pro-v1:0", "aws.bedrock"),
        ("gemini-2.5-pro", "gcp.vertex_ai"),
        ("kimi-k2", "anthropic"),
        ("", "anthropic"),
        ("claude", "anthropic"),
        ("x" * 100_000, "anthropic"),
    ],
)
def test_opaque_names_are_unpriced(name: str, provider: str) -> None:
    """A name that doesn't say which Claude model it is has no price."""
    assert None is cost(Usage(1), name, provider=provider)


def test_names_are_unique_and_lower_case() -> None:
    """The names to look up hold no duplicates, and none of them is spelt two ways."""
    assert model_names(" Claude-Opus-5-5 ") == (("claude-opus-5-5",), ("claude-opus-5-5",))


OVERRIDES = {
    "claude-*": Price(1, 1),
    "claude-opus-*": Price(2, 2),
    "claude-opus-5-5": Price(3, 3),
    "us.anthropic.claude-opus-5-5-v1:0": Price(4, 4),
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc": Price(5, 5),
    " My-Model ": Price(6, 6),
}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("claude-haiku-5-5", "claude-*"),
        ("claude-opus-5", "claude-opus-*"),
        ("anthropic.claude-opus-5-v1:0", "claude-opus-*"),
        ("claude-opus-5-5", "claude-opus-5-5"),
        ("claude-opus-5-5-20260921", "claude-opus-5-5"),
        ("eu.anthropic.claude-opus-5-5-v1:0", "claude-opus-5-5"),
        ("us.anthropic.claude-opus-5-5-v1:0", "us.anthropic.claude-opus-5-5-v1:0"),
        (
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-5-5-v1:0",
            "us.anthropic.claude-opus-5-5-v1:0",
        ),
        (
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc",
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc",
        ),
        ("my-model", " My-Model "),
    ],
)
def test_which_override_wins(name: str, key: str) -> None:
    """An exact name goes before a prefix, a longer prefix before a shorter one, in any spelling."""
    found = PriceBook(OVERRIDES).resolve(name, "aws.bedrock", NOW)
    assert found is not None
    assert ("override", key, None) == (found.source, found.model_id, found.provider_id)
    assert OVERRIDES[key] == found.price


def test_overrides_leave_the_rest_alone() -> None:
    """A model without an override keeps the library's price."""
    book = PriceBook({"mine": Price(1, 1)})
    assert cost(Usage(10)) == cost(Usage(10), book=book)


def test_override_defaults_to_the_published_multipliers() -> None:
    """What an override doesn't give follows from its input price as Anthropic publishes it."""
    price = Price(4, 20)
    assert (Decimal("0.4"), Decimal(5), Decimal(8)) == (price.cache_read, price.cache_write_5m, price.cache_write_1h)
    assert (Decimal(10), Decimal("0.5"), None) == (price.web_search, price.batch_multiplier, price.fast_multiplier)


@pytest.mark.parametrize("amount", [1, 1.0, "1", " 1 ", "1.00", Decimal(1)])
def test_amounts_in_any_type(amount: int | float | str | Decimal) -> None:
    """An amount may be any kind of number."""
    assert Price(1, 1) == Price(amount, amount)


def test_floats_mean_what_they_print() -> None:
    """A float is the decimal number that a person wrote, not its binary neighbour."""
    assert Decimal("0.1") == Price(0.1, 1).input


BAD_AMOUNTS = [-1, "-0.5", "NaN", float("nan"), float("inf"), "1e-13", 10**7, "three", "", None, True, [1]]


@pytest.mark.parametrize("field", ["input", "output", "cache_read", "web_search", "batch_multiplier"])
@pytest.mark.parametrize("value", BAD_AMOUNTS)
def test_bad_amounts(field: str, value: Any) -> None:
    """An amount that can't be is refused with the model, the field, the value and what was expected."""
    if value is None and field == "cache_read":
        return  # None asks for the default
    amounts: dict[str, Any] = {"input": 1, "output": 1, field: value}
    with pytest.raises(BadInputError) as caught:
        PriceBook({"my-model": amounts})
    message = str(caught.value)
    assert all(part in message for part in ("'my-model'", f"'{field}'", repr(value), "expected a number from 0"))


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"input": 1}, "missing: output"),
        ({"input": 1, "output": 2, "inptu": 3}, "unknown: inptu"),
        (3, "expected a Price, or a mapping"),
    ],
)
def test_bad_mappings(given: Any, part: str) -> None:
    """A mapping with the wrong fields is refused with the model's name and the field's."""
    with pytest.raises(BadInputError, match="'my-model'") as caught:
        PriceBook({"my-model": given})
    assert part in str(caught.value)


@pytest.mark.parametrize("name", ["", " ", "claude-*-5", "**"])
def test_bad_override_names(name: str) -> None:
    """A name with a star in the middle, or none at all, is refused."""
    with pytest.raises(BadInputError, match="is not a model name"):
        PriceBook({name: Price(1, 1)})


@pytest.mark.parametrize(
    ("tier", "speed", "expected"),
    [(None, None, "6"), ("batch", None, "1.5"), (None, "fast", "12"), ("batch", "fast", "3")],
)
def test_multipliers_of_an_override(tier: str | None, speed: str | None, expected: str) -> None:
    """An override's multipliers apply to its token prices, and both together to both."""
    book = PriceBook({"mine": Price(2, 4, batch_multiplier="0.25", fast_multiplier=2)})
    usage = Usage(10**6, 10**6, service_tier=tier, speed=speed, server_tools={"web_search": 100})
    assert Decimal(expected) + 1 == cost(usage, "mine", book=book)


def test_fast_mode_of_an_override_without_a_premium() -> None:
    """Where an override says nothing of fast mode, its price is unknown rather than too low."""
    book = PriceBook({"mine": Price(2, 4)})
    found = book.resolve("mine", "anthropic", NOW)
    assert found is not None
    assert None is found.fast
    assert None is cost(Usage(1, speed="fast"), "mine", book=book)


def test_the_apps_decimal_context_is_left_alone() -> None:
    """Neither does an app's low precision round a price, nor does a price change the app's flags."""
    usage = Usage(1_234_567, 7_654_321)
    with localcontext() as context:
        context.prec = 2
        context.clear_flags()
        low = cost(usage)
        assert not any(getcontext().flags.values())
    assert low == cost(usage)


def names_in(book: PriceBook) -> list[str]:
    """The names that a book remembers, the one used last at the end."""
    return [model for _, model in vars(book)["_cache"]]


def test_names_from_the_wire_are_bounded() -> None:
    """Thousands of made-up names leave a few hundred in memory, and a huge one none."""
    book = PriceBook()
    for i in range(1200):
        cost(Usage(1), f"claude-made-up-{i}", book=book)
    cost(Usage(1), "x" * 10_000, book=book)
    assert names_in(book)[-1:] == ["claude-made-up-1199"]
    assert len(names_in(book)) == 512


def test_what_is_used_stays() -> None:
    """The model in use outlives any number of names seen once."""
    book = PriceBook()
    for i in range(1200):
        cost(Usage(1), f"claude-made-up-{i}", book=book)
        cost(Usage(1), book=book)
    assert "claude-opus-5-5" in names_in(book)


# A library of our own, with what the real one has not, or not yet.


def snapshot_of(*models: ModelInfo, provider: str = "anthropic") -> DataSnapshot:
    """The library's data with these models alone."""
    return DataSnapshot([Provider(provider, provider, "x", models=list(models))], from_auto_update=False)


def model_of(prices: Any, *, id_: str = "claude-x", variants: list[PriceVariant] | None = None) -> ModelInfo:
    """A model as the library has it."""
    return ModelInfo(id_, ClauseEquals(id_), prices=prices, price_variants=variants)


def flat(amount: int | str, **more: Decimal | TieredPrices) -> ModelPrice:
    """A price as the library has it."""
    return ModelPrice(input_mtok=Decimal(amount), output_mtok=Decimal(amount), **more)


def loaded(get: Callable[[], DataSnapshot], *, custom: bool = True) -> Any:
    """A module of the library's, as one that the app has imported."""
    return SimpleNamespace(get_snapshot=get, _custom_snapshot=object() if custom else None)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], DataSnapshot]], Library]:
    """Puts data of our own in the library's place."""

    def use(get: Callable[[], DataSnapshot]) -> Library:
        library = Library({"genai_prices.data_snapshot": loaded(get)})
        monkeypatch.setattr(price_library, "LIBRARY", library)
        return library

    return use


@pytest.mark.parametrize(
    ("tier", "speed", "price"),
    [
        (None, None, 24),
        ("standard", "standard", 24),
        ("priority", None, 24),
        ("batch", None, 12),
        (None, "fast", 48),
        ("batch", "fast", 12),
    ],
)
def test_batch_and_fast_mode(use: Use, tier: str | None, speed: str | None, price: int) -> None:
    """Batch and fast mode have prices of their own; of both, the library's first wins."""
    variants = [
        PriceVariant({"processing": "batch"}, flat(6)),
        PriceVariant({"speed": "fast"}, flat(24)),
    ]
    data = snapshot_of(model_of(flat(12), variants=variants))
    use(lambda: data)
    assert price == cost(Usage(10**6, 10**6, service_tier=tier, speed=speed), "claude-x", book=PriceBook())


def test_resolve_shows_every_price(use: Use) -> None:
    """What the command line shows: standard price, tiers, batch, fast."""
    variants = [PriceVariant({"processing": "batch"}, flat(1)), PriceVariant({"speed": "fast"}, flat(4))]
    tiered = ModelPrice(input_mtok=TieredPrices(Decimal(2), [Tier(100, Decimal(3))]), output_mtok=Decimal(2))
    data = snapshot_of(model_of(tiered, variants=variants))
    use(lambda: data)
    found = PriceBook().resolve("claude-x", "anthropic", NOW)
    assert found is not None
    assert found.fast is not None
    assert (Decimal(2), Decimal(1), Decimal(4)) == (found.price.input, found.batch.input, found.fast.input)
    assert [(100, Decimal(3))] == [(start, price.input) for start, price in found.tiers]


def test_new_data_is_seen(use: Use) -> None:
    """Data that the app updates while it runs counts from the next call on."""
    data = snapshot_of(model_of(flat(1)))
    use(lambda: data)
    book = PriceBook()
    before = cost(Usage(10**6), "claude-x", book=book)
    data = snapshot_of(model_of(flat(2)))
    assert (Decimal(1), Decimal(2)) == (before, cost(Usage(10**6), "claude-x", book=book))


def test_prices_by_the_hour(use: Use) -> None:
    """A price that depends on the time of day is looked up for every call."""
    night = ConditionalPrice(TimeOfDateConstraint(time(0), time(6)), prices=flat(1))
    data = snapshot_of(model_of([ConditionalPrice(prices=flat(2)), night]))
    use(lambda: data)
    book = PriceBook()
    hours = [NOW.replace(hour=hour) for hour in (12, 3, 13)]
    assert [cost(Usage(10**6), "claude-x", book=book, at=at) for at in hours] == [2, 1, 2]


def test_variant_from_a_day_on(use: Use) -> None:
    """A discount that starts on a day holds from that day on, also for a model without other conditions."""
    batch = PriceVariant({"processing": "batch"}, flat("0.5"), StartDateConstraint(date(2026, 11, 21)))
    data = snapshot_of(model_of(flat(1), variants=[batch]))
    use(lambda: data)
    book = PriceBook()
    usage = Usage(10**6, service_tier="batch")
    days = [NOW, NOW + timedelta(days=1), NOW]
    assert [1, Decimal("0.5"), 1] == [cost(usage, "claude-x", book=book, at=at) for at in days]


def test_a_class_without_a_price_has_that_of_the_whole(use: Use) -> None:
    """Cached tokens without a price of their own cost what the input that they are part of costs."""
    models = [
        model_of(flat(2), id_="claude-none"),
        model_of(flat(2, cache_write_mtok=Decimal(3)), id_="claude-write"),
        model_of(flat(2, cache_write_mtok=Decimal(3), cache_write_5m_mtok=Decimal(4)), id_="claude-5m"),
    ]
    data = snapshot_of(*models)
    use(lambda: data)
    book = PriceBook()
    million = 10**6
    usages = [
        Usage(million, cache_read_tokens=million),
        Usage(million, cache_write_5m_tokens=million),
        Usage(million, cache_write_1h_tokens=million),
    ]
    assert [[cost(u, m.id, book=book) for u in usages] for m in models] == [[2, 2, 2], [2, 3, 3], [2, 4, 3]]


def test_several_tiers_of_several_classes(use: Use) -> None:
    """Each class of tokens follows thresholds of its own."""
    tiers = TieredPrices(Decimal(1), [Tier(200, Decimal(3)), Tier(100, Decimal(2))])
    output = TieredPrices(Decimal(10), [Tier(150, Decimal(20))])
    model = model_of(ModelPrice(input_mtok=tiers, output_mtok=output))
    data = snapshot_of(model)
    use(lambda: data)
    book = PriceBook()
    usages = [Usage(count, 1000) for count in (0, 100, 101, 150, 151, 200, 201, 10**6)]
    expected = [model.calc_price(library_usage(usage), data.providers[0]).total_price for usage in usages]
    assert expected == [cost(usage, "claude-x", book=book) for usage in usages]


@pytest.mark.parametrize(
    "prices", [ModelPrice(input_mtok=Decimal(1)), ModelPrice(output_mtok=Decimal(1)), flat(1, x=Decimal(1))]
)
def test_half_a_price_is_none(use: Use, prices: ModelPrice) -> None:
    """A model with a price for input or output alone is unpriced; keys that we don't know do no harm."""
    data = snapshot_of(model_of(prices))
    use(lambda: data)
    known = {"input_mtok", "output_mtok"} <= set(vars(prices))
    assert known == (PriceBook().resolve("claude-x", "anthropic", NOW) is not None)


def test_half_a_price_on_the_platform(use: Use) -> None:
    """A platform's entry without a price leaves it to Anthropic's."""
    half = snapshot_of(model_of(ModelPrice(input_mtok=Decimal(1))), provider="aws")
    data = DataSnapshot([*half.providers, *snapshot_of(model_of(flat(7))).providers], from_auto_update=False)
    use(lambda: data)
    assert Decimal(7) == cost(Usage(10**6), "claude-x", provider="aws.bedrock", book=PriceBook())


def pricing_faults() -> int:
    """How many faults pricing has had."""
    return internal_errors.counts().get("pricing", 0)


def test_data_of_another_shape(use: Use) -> None:
    """Data that this version doesn't understand is counted, once per model, and the table has the prices."""
    broken: Any = object()
    price = cost(Usage(1))
    use(lambda: broken)
    book, before = PriceBook(), pricing_faults()
    assert [cost(Usage(1), book=book) for _ in range(2)] == [price, price]
    assert before + 1 == pricing_faults()


def test_accessor_that_breaks(use: Use) -> None:
    """Where the library fails to hand out its data, the table has the prices, and the failure is counted."""

    def fail() -> DataSnapshot:
        raise RuntimeError

    price = cost(Usage(1))
    use(fail)
    before = pricing_faults()
    assert cost(Usage(1), book=PriceBook()) == price
    assert pricing_faults() > before


def test_data_without_the_model(use: Use) -> None:
    """What the app's own data does not know, the table prices."""
    price, data = cost(Usage(1)), snapshot_of(model_of(flat(12)))
    use(lambda: data)
    assert cost(Usage(1), book=PriceBook()) == price


def test_bad_arguments_do_no_harm() -> None:
    """Arguments of the wrong type leave a call unpriced and are counted."""
    nothing: Any = None
    before = pricing_faults()
    assert None is BOOK.cost(nothing, model="claude-opus-5-5", provider="anthropic", at=NOW)
    assert None is BOOK.resolve(nothing, "anthropic", NOW)
    assert pricing_faults() > before


def run(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    return done.stdout.strip()


PRELUDE = """
import sys
from datetime import datetime, timezone
from claudescope.pricing.price_book import PriceBook
from claudescope.pricing.rates import Price
from claudescope.schema.record import Usage
book = PriceBook({"mine": Price(1, 1)})
def cost(model):
    return book.cost(Usage(10**6), model=model, provider="anthropic", at=datetime(2026, 11, 20, tzinfo=timezone.utc))
"""


def test_no_call_imports_the_library() -> None:
    """Pricing imports no library and starts no thread, whether the model is known or not."""
    code = PRELUDE + (
        "import threading; cost('mine'); cost('claude-opus-5-5'); cost('claude-of-tomorrow');"
        "print('genai_prices' in sys.modules, 'pydantic' in sys.modules, threading.active_count())"
    )
    assert run(code).split() == ["False", "False", "1"]


def test_a_library_that_is_missing_costs_no_price() -> None:
    """Where the import fails, as in a frozen app without metadata, calls are priced all the same."""
    code = PRELUDE + "sys.modules['genai_prices'] = None; print(cost('claude-opus-5-5').normalize())"
    assert run(code) == "4"


def test_a_library_that_is_being_imported_is_not_waited_for() -> None:
    """While another thread imports the library, calls there and in a forked child are priced by the table."""
    code = (
        PRELUDE
        + """
import os, threading
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
reached, go = threading.Event(), threading.Event()
class Slow(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "genai_prices.data":
            spec = PathFinder.find_spec(name, path)
            load = spec.loader.exec_module
            spec.loader.exec_module = lambda module: (reached.set(), go.wait(), load(module))
            return spec
sys.meta_path.insert(0, Slow())
def load():
    from genai_prices.data_snapshot import get_snapshot
    get_snapshot()
thread = threading.Thread(target=load)
thread.start()
reached.wait()
print(cost("claude-opus-5-5").normalize(), flush=True)
child = os.fork()
if not child:
    print(cost("claude-sonnet-5-5").normalize(), flush=True)
    os._exit(0)
os.waitpid(child, 0)
go.set()
thread.join()
print(cost("claude-opus-5-5").normalize(), flush=True)
"""
    )
    assert run(code).split() == ["4", "2", "4"]


@pytest.mark.parametrize(("version", "price"), [("999.1", 12), ("0.1.13", 4), ("", 4)])
def test_loaded_data_counts_if_it_is_newer(version: str, price: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data of a newer release replaces the table once the app has loaded it; that of an older one does not."""
    data = snapshot_of(model_of(flat(12), id_="claude-opus-5-5"))
    modules: dict[str, Any] = {}
    monkeypatch.setattr(price_library, "LIBRARY", Library(modules))
    book = PriceBook()
    assert cost(Usage(10**6), book=book) == 4
    modules["genai_prices"] = SimpleNamespace(__version__=version)
    modules["genai_prices.data_snapshot"] = loaded(lambda: data, custom=False)
    assert cost(Usage(10**6), book=book) == 4
    modules["genai_prices.data"] = SimpleNamespace(providers=data.providers)
    assert cost(Usage(10**6), book=book) == price


def test_public_names() -> None:
    """What the module exports is there."""
    assert all(hasattr(price_book, name) for name in price_book.__all__)
