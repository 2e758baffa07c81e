"""Prices of tokens, and the arithmetic that turns usage into US dollars without rounding."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final, TypeAlias

from claudescope._internal.exceptions import BadInputError

if TYPE_CHECKING:
    from claudescope.schema.record import Usage

__all__ = ["Amount", "Price", "Rates", "Steps"]

Amount: TypeAlias = Decimal | int | float | str
"""The types of a price. A float counts as the decimal number that it prints as."""

_MOST: Final = 1_000_000
_PLACES: Final = 12
# A context of its own, so that the app's can neither round a price nor make it raise.
_EXACT: Final = Context(prec=100, traps=[])

# https://docs.claude.com/en/docs/build-with-claude/prompt-caching#pricing: multiples of the input price.
_CACHE_READ: Final = Decimal("0.1")
_CACHE_WRITE_5M: Final = Decimal("1.25")
_CACHE_WRITE_1H: Final = Decimal(2)
# https://docs.claude.com/en/docs/about-claude/pricing: dollars per thousand searches, and the batch discount.
_WEB_SEARCH: Final = Decimal(10)
_BATCH: Final = Decimal("0.5")
# https://platform.claude.com/docs/en/manage-claude/data-residency: US-only inference; regional endpoints likewise.
_REGIONAL: Final = Decimal("1.1")


@dataclass(frozen=True, slots=True, init=False)
class Price:
    """The price of a model, in US dollars per million tokens and per thousand web searches.

    Prices that are not given follow from Anthropic's published multipliers.

    Attributes:
        input: Input that is neither read from the prompt cache nor written to it.
        output: Output, reasoning included.
        cache_read: Input read from the prompt cache. Default: 0.1 times `input`.
        cache_write_5m: Input written to the cache for five minutes. Default: 1.25 times `input`.
        cache_write_1h: Input written to the cache for one hour. Default: 2 times `input`.
        web_search: A thousand web searches. Default: 10.
        batch_multiplier: Factor of the token prices in a message batch. Default: 0.5.
        fast_multiplier: Factor of the token prices in fast mode. Default: None, which leaves calls in fast mode
            unpriced, because the premium differs between models.
        regional_multiplier: Factor of the token prices where inference is kept in a region: the API answers with
            `inference_geo` `us`, or the endpoint is a regional one of Vertex AI. Default: 1.1.
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write_5m: Decimal
    cache_write_1h: Decimal
    web_search: Decimal
    batch_multiplier: Decimal
    fast_multiplier: Decimal | None
    regional_multiplier: Decimal

    def __init__(
        self,
        input: Amount,  # noqa: A002 - the field's name everywhere else
        output: Amount,
        *,
        cache_read: Amount | None = None,
        cache_write_5m: Amount | None = None,
        cache_write_1h: Amount | None = None,
        web_search: Amount = _WEB_SEARCH,
        batch_multiplier: Amount = _BATCH,
        fast_multiplier: Amount | None = None,
        regional_multiplier: Amount = _REGIONAL,
    ) -> None:
        """Take the prices.

        Raises:
            BadInputError: An amount is negative, not a number, or above 1,000,000.
        """
        base = _amount("input", input)

        def cached(field: str, value: Amount | None, multiple: Decimal) -> Decimal:
            return _EXACT.multiply(base, multiple) if value is None else _amount(field, value)

        fields = {
            "input": base,
            "output": _amount("output", output),
            "cache_read": cached("cache_read", cache_read, _CACHE_READ),
            "cache_write_5m": cached("cache_write_5m", cache_write_5m, _CACHE_WRITE_5M),
            "cache_write_1h": cached("cache_write_1h", cache_write_1h, _CACHE_WRITE_1H),
            "web_search": _amount("web_search", web_search),
            "batch_multiplier": _amount("batch_multiplier", batch_multiplier),
            "fast_multiplier": None if fast_multiplier is None else _amount("fast_multiplier", fast_multiplier),
            "regional_multiplier": _amount("regional_multiplier", regional_multiplier),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def times(self, multiplier: Decimal) -> Price:
        """The same prices with those of tokens multiplied, as in a batch or in fast mode."""
        scaled = {
            name: _EXACT.multiply(getattr(self, name), multiplier)
            for name in ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
        }
        price = object.__new__(Price)
        for name in Price.__slots__:
            object.__setattr__(price, name, scaled.get(name, getattr(self, name)))
        return price


def _amount(field: str, value: object) -> Decimal:
    number: Decimal | None = None
    if isinstance(value, Decimal | int | float | str) and not isinstance(value, bool):
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation:
            number = None
    if number is not None and number.is_finite() and 0 <= number <= _MOST:
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and exponent >= -_PLACES:
            return number
    unit = "a factor" if field.endswith("_multiplier") else "US dollars per million tokens"
    if field == "web_search":
        unit = "US dollars per thousand searches"
    raise BadInputError(
        f"The price field {field!r} is {value!r}: expected a number from 0 to {_MOST} with at most {_PLACES} "
        f"decimal places, {unit}, such as {field}=3 or {field}='0.25'."
    )


Steps: TypeAlias = tuple[tuple[int, Price], ...]
"""The prices of a model by total input: each applies to all tokens of a call with more input than its number.

The first has the number -1, so it always applies; the others ascend.
"""

_Row: TypeAlias = tuple[int, int, int, int, int, int, int]


class Rates:
    """Prices as whole numbers of one small unit, so that sums are fast and exact."""

    __slots__ = ("_first", "_rest", "_scale")

    def __init__(self, steps: Steps) -> None:
        """Compile prices.

        Args:
            steps: At least one step.
        """
        amounts = [amount for _, price in steps for amount in _per_million(price)]
        self._scale = 6 + max(0, *(-int(amount.as_tuple().exponent) for amount in amounts))
        rows = [self._row(start, price) for start, price in steps]
        self._first = rows[0]
        self._rest = tuple(rows[1:])

    def _row(self, start: int, price: Price) -> _Row:
        def units(amount: Decimal) -> int:
            return int(_EXACT.scaleb(amount, self._scale - 6))

        tokens = [units(amount) for amount in _per_million(price)[:5]]
        # Per thousand uses, not per million.
        return (start, tokens[0], tokens[1], tokens[2], tokens[3], tokens[4], 1000 * units(price.web_search))

    def cost(self, usage: Usage) -> Decimal:
        """The price of usage in US dollars, exact.

        Contradictory counts are corrected: a negative one counts as 0, and input that is less than its cached parts
        counts as their sum. Server tools other than web search have no price here: web fetch is free, and code
        execution is billed by the hour for a whole organization.

        A price tier holds for each sampling, and not for the sum of a loop of server-side tools: the SDK says of
        `usage.iterations` that they "determine which iterations exceeded long context thresholds" (anthropic 0.80,
        `types/beta/beta_usage.py`). Where the API reports no samplings, the sum decides.
        """
        parts = usage.iterations if usage.iterations and self._rest else (usage,)
        units = sum(map(self._units, parts))
        if usage.server_tools:
            units += max(usage.server_tools.get("web_search", 0), 0) * self._first[6]
        return _EXACT.scaleb(Decimal(units), -self._scale) if units else Decimal(0)

    def _units(self, usage: Usage) -> int:
        """The price of one sampling's tokens, in the small unit."""
        total, output, read = usage.input_tokens, usage.output_tokens, usage.cache_read_tokens
        write_5m, write_1h = usage.cache_write_5m_tokens, usage.cache_write_1h_tokens
        fresh = total - read - write_5m - write_1h
        if min(fresh, read, write_5m, write_1h, output) < 0:
            read, write_5m, write_1h, output = max(read, 0), max(write_5m, 0), max(write_1h, 0), max(output, 0)
            total = max(total, read + write_5m + write_1h)
            fresh = total - read - write_5m - write_1h
        row = self._first
        for step in self._rest:
            if total > step[0]:
                row = step
        _, input_, output_, read_, write_5m_, write_1h_, _ = row
        units = fresh * input_ + output * output_
        if fresh != total:
            units += read * read_ + write_5m * write_5m_ + write_1h * write_1h_
        return units


def _per_million(price: Price) -> tuple[Decimal, ...]:
    return (
        price.input,
        price.output,
        price.cache_read,
        price.cache_write_5m,
        price.cache_write_1h,
        price.web_search,
    )
