"""Prices calls in US dollars.

Prices come from a table that is generated from the `genai-prices` library, or from that library where the app has
loaded newer data of it, and from the app's own overrides. They have every Claude model with its cache writes, tiers,
batch discount and fast mode. A model is resolved once into plain numbers, so that pricing a call
takes a few multiplications. A price that is not known is None, never 0.

The cost is the list price of the usage that the API reported. It does not include negotiated discounts (override the
price), priority-tier commitments, and server tools other than web search.

Inference that is kept in a region costs more. Anthropic's API says so in `usage.inference_geo`, which is `us`, `global`
or `not_available`; a value that is not known has no known price. On Vertex AI the region of the client decides, on
Bedrock the name of the model, both for Claude 4.5 and later.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, cast

from claudescope._internal import internal_errors
from claudescope._internal.exceptions import BadInputError
from claudescope.pricing import genai_prices
from claudescope.pricing.genai_prices import LibraryPrice, find_price, model_names
from claudescope.pricing.rates import Amount, Price, Rates, Steps
from claudescope.pricing.table import load_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from claudescope.pricing.genai_prices import Snapshot
    from claudescope.schema.record import Usage

__all__ = ["Amount", "Price", "PriceBook", "ResolvedPrice"]

_CACHED: Final = 512
_LONGEST_NAME: Final = 512
_FIELDS: Final = tuple(field.name for field in fields(Price))


@dataclass(frozen=True, slots=True)
class ResolvedPrice:
    """The price of a model, and where it comes from.

    Attributes:
        source: `override`, or `genai-prices`.
        model_id: The name it was found under: the override's key, or the library's name of the model.
        provider_id: The library's name of the provider whose price it is; None for an override.
        price: The standard price.
        tiers: The prices for all tokens of a call with more input tokens than the number, ascending.
        batch: The price in a message batch.
        fast: The price in fast mode, that of `price` where the library has no premium; None where an override gives
            none, which leaves such calls unpriced.
    """

    source: Literal["override", "genai-prices"]
    model_id: str
    provider_id: str | None
    price: Price
    tiers: tuple[tuple[int, Price], ...]
    batch: Price
    fast: Price | None


@dataclass(frozen=True, slots=True)
class _Entry:
    """The result of looking a model up.

    Attributes:
        resolved: The price; None where none is known.
        rates: The standard rates, those in a batch, in fast mode, and in both, then the same four in a region; None for
            one that has no price.
        snapshot: The data that it comes from; None for an override.
        day: The day that it applies to, as an ordinal; None where it applies to all days.
    """

    resolved: ResolvedPrice | None
    rates: tuple[Rates | None, ...]
    snapshot: object
    day: int | None

    def regional(self, model: str, provider: str, region: str | None) -> bool:
        """Whether a platform charges its premium for a region on top of `rates`.

        Args:
            model: The model, in the platform's spelling.
            provider: The platform.
            region: The region of the client's endpoint.
        """
        resolved = self.resolved
        if resolved is None:
            return False
        if provider == _VERTEX:
            return region not in {None, "global"} and _has_regions(resolved.model_id, model)
        # Bedrock's own prices include the premium, and an app's own prices are for the name that they are given for.
        return resolved.provider_id == "anthropic" and "global." not in model and _has_regions(resolved.model_id, model)


_UNPRICED: Final[tuple[Rates | None, ...]] = (None,) * 8
_VERTEX: Final = "gcp.vertex_ai"
_PLATFORMS: Final = frozenset({_VERTEX, "aws.bedrock"})
_EVERYWHERE: Final = frozenset({"global", "not_available"})
_FIRST_WITH_REGIONS: Final = (4, 5)


@lru_cache(maxsize=256)
def _has_regions(*names: str) -> bool:
    """Whether the first name with a version, such as `claude-haiku-4-5`, is of a model with a premium for regions."""
    for name in names:
        version = re.search(r"claude-(?:[a-z]+-)?(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?", name.lower())
        if version is not None:
            return (int(version[1]), int(version[2] or 0)) >= _FIRST_WITH_REGIONS
    return False


_NO_DAY: Final = -1


class PriceBook:
    """The prices of models, with the app's overrides. Thread-safe.

    Args:
        overrides: Prices by model name, or by the start of one followed by `*`, of which the longest match wins. A
            name matches as it was sent, and without its region, vendor, version or date. An exact name wins over a
            prefix. A price may also be a mapping with the arguments of `Price`, as in a configuration file.

    Raises:
        BadInputError: A price is not valid, or a `*` is not at the end of a name. The message names the model, the
            field and the value.
    """

    def __init__(self, overrides: Mapping[str, Price | Mapping[str, Amount | None]] | None = None) -> None:
        self._exact: dict[str, _Entry] = {}
        prefixes: list[tuple[str, _Entry]] = []
        for name, given in (overrides or {}).items():
            entry = _override(name, given)
            key = name.strip().lower()
            if key.endswith("*"):
                prefixes.append((key[:-1], entry))
            else:
                self._exact[key] = entry
        self._prefixes = sorted(prefixes, key=lambda item: len(item[0]), reverse=True)
        # Its operations are atomic, so it needs no lock.
        self._cache: OrderedDict[tuple[str, str], _Entry] = OrderedDict()

    def cost(
        self, usage: Usage, *, model: str, provider: str, at: datetime, region: str | None = None
    ) -> Decimal | None:
        """Price a call.

        Args:
            usage: What the API billed. Contradictory counts are corrected: a negative one counts as 0, and input that
                is less than its cached parts counts as their sum.
            model: The model that answered, in any platform's spelling.
            provider: A value of `gen_ai.provider.name`. An unknown one has Anthropic's own prices.
            at: When the call was made, as prices change. Without a time zone it is UTC.
            region: The region of the client's endpoint, such as `us-east5` or `global`; None where prices do not depend
                on it.

        Returns:
            US dollars, exact; None where no price is known. Never raises, waits for nothing, and imports no library.
        """
        try:
            variant = (1 if usage.service_tier == "batch" else 0) + (2 if usage.speed == "fast" else 0)
            entry, geo = self._entry(model, provider, at), usage.inference_geo
            if provider in _PLATFORMS:
                if entry.regional(model, provider, region):
                    variant += 4
            elif geo == "us":
                variant += 4
            elif geo is not None and geo not in _EVERYWHERE:
                return None
            rates = entry.rates[variant]
            return None if rates is None else rates.cost(usage)
        except Exception:  # noqa: BLE001 - an internal error must not reach the app
            internal_errors.record("pricing")
            return None

    def resolve(self, model: str, provider: str, at: datetime) -> ResolvedPrice | None:
        """Find the price of a call, and where it comes from.

        Args:
            model: The model, in any platform's spelling.
            provider: A value of `gen_ai.provider.name`.
            at: When the call is made. Without a time zone it is UTC.

        Returns:
            The price; None where none is known. Never raises.
        """
        try:
            return self._entry(model, provider, at).resolved
        except Exception:  # noqa: BLE001 - as in `cost`
            internal_errors.record("pricing")
            return None

    def _entry(self, model: str, provider: str, at: datetime) -> _Entry:
        key = (provider, model)
        entry = self._cache.get(key)
        if entry is not None and (entry.snapshot is None or _holds(entry, at)):
            if 2 * len(self._cache) > _CACHED:  # the order matters only where some must go
                with suppress(KeyError):  # another thread may have dropped it
                    self._cache.move_to_end(key)
            return entry
        entry = self._overridden(model) or _from_library(model, provider, at)
        if entry.day != _NO_DAY and len(model) + len(provider) <= _LONGEST_NAME:
            self._cache[key] = entry
            while len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
        return entry

    def _overridden(self, model: str) -> _Entry | None:
        if not self._exact and not self._prefixes:
            return None
        on_platform, own = model_names(model)
        names = dict.fromkeys((model.strip().lower(), *on_platform, *own))
        exact = next((self._exact[name] for name in names if name in self._exact), None)
        if exact is not None:
            return exact
        return next((entry for prefix, entry in self._prefixes if any(name.startswith(prefix) for name in names)), None)


def _holds(entry: _Entry, at: datetime) -> bool:
    # The library's data may be replaced while the process runs; its `UpdatePrices` does so.
    return entry.snapshot is genai_prices.LIBRARY.snapshot() and (entry.day is None or entry.day == _day(at))


def _day(at: datetime) -> int:
    is_utc = at.tzinfo is timezone.utc or at.tzinfo is None
    return (at if is_utc else at.astimezone(timezone.utc)).toordinal()


def _override(name: str, given: object) -> _Entry:
    if not name.strip() or "*" in name.strip()[:-1]:
        raise BadInputError(
            f"The price override {name!r} is not a model name: expected a name such as 'claude-opus-5-5', or the start "
            "of one with a single '*' at its end, such as 'claude-*'."
        )
    price = given if isinstance(given, Price) else _parse(name, given)
    batch = price.times(price.batch_multiplier)
    fast = None if price.fast_multiplier is None else price.times(price.fast_multiplier)
    resolved = ResolvedPrice("override", name, None, price, (), batch, fast)
    both = None if fast is None else fast.times(price.batch_multiplier)
    every = (price, batch, fast, both)
    regional = tuple(None if p is None else p.times(price.regional_multiplier) for p in every)
    rates = tuple(None if p is None else Rates(((-1, p),)) for p in (*every, *regional))
    return _Entry(resolved, rates, None, None)


def _parse(name: str, given: object) -> Price:
    problem = f"The price override for the model {name!r} can't be used."
    if not isinstance(given, Mapping):
        raise BadInputError(
            f"{problem} It is {given!r}: expected a Price, or a mapping such as {{'input': 3, 'output': 15}}."
        )
    amounts = cast("Mapping[str, Amount]", given)
    unknown = sorted(set(map(str, amounts)) - set(_FIELDS))
    missing = sorted({"input", "output"} - set(amounts))
    if unknown or missing:
        wrong = f"unknown: {', '.join(unknown)}" if unknown else f"missing: {', '.join(missing)}"
        raise BadInputError(
            f"{problem} It has fields {wrong}; expected input, output and, where they differ from the published "
            f"multipliers, {', '.join(_FIELDS[2:])}."
        )
    try:
        return Price(**amounts)
    except BadInputError as error:
        raise BadInputError(f"{problem} {error}") from error


def _from_library(model: str, provider: str, at: datetime) -> _Entry:
    snapshot = genai_prices.LIBRARY.snapshot()
    found = _find(snapshot, model, provider, at)
    if found is None and snapshot is not load_table():
        found = _find(load_table(), model, provider, at)
    if found is None:
        return _Entry(None, _UNPRICED, snapshot, None)
    rates = tuple(_rates(found))
    day = _NO_DAY if found.hourly else _day(at) if found.daily else None
    return _Entry(_resolved(found), rates, snapshot, day)


def _find(snapshot: Snapshot, model: str, provider: str, at: datetime) -> LibraryPrice | None:
    try:
        return find_price(snapshot, model, provider, at)
    except Exception:  # noqa: BLE001 - data that is unexpected prices nothing
        internal_errors.record("pricing")
        return None


def _rates(found: LibraryPrice) -> Iterator[Rates]:
    compiled: dict[Steps, Rates] = {}
    everywhere = (found.standard, found.batch, found.fast, found.batch_fast)
    regional = [tuple((start, p.times(p.regional_multiplier)) for start, p in steps) for steps in everywhere]
    for steps in (*everywhere, *regional):
        if steps not in compiled:
            compiled[steps] = Rates(steps)
        yield compiled[steps]


def _resolved(found: LibraryPrice) -> ResolvedPrice:
    (_, price), *tiers = found.standard
    return ResolvedPrice(
        "genai-prices", found.model_id, found.provider_id, price, tuple(tiers), found.batch[0][1], found.fast[0][1]
    )
