"""Finds prices: in the committed table, and in the data of `genai-prices` once the app has loaded that library.

Nothing here imports the library: that takes a quarter of a second, and several seconds on a throttled CPU. An import in
a thread would be as bad: a child that is forked meanwhile inherits locks of modules that nobody releases.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from datetime import timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from claudescope._internal import internal_errors
from claudescope.pricing.rates import Price, Steps
from claudescope.pricing.table import Table, load_table
from claudescope.pricing.table_data import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from types import ModuleType
    from typing import TypeAlias

    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

    from claudescope.pricing.table import TableModel, TablePrices, TableProvider, TieredPrice

    Snapshot: TypeAlias = DataSnapshot | Table
    _Amount: TypeAlias = Decimal | TieredPrices | TieredPrice

__all__ = ["LIBRARY", "Library", "LibraryPrice", "find_price", "is_newer", "model_names"]

_FIRST_PARTY: Final = "anthropic"
# From gen_ai.provider.name to the provider id of genai-prices. Microsoft Foundry has Anthropic's own prices, and an
# unknown provider is most likely a gateway that charges them too.
_PLATFORMS: Final = {"aws.bedrock": "aws", "gcp.vertex_ai": "google"}


class Library:
    """The price data of this process: the table, until the app has loaded newer data of genai-prices.

    Args:
        modules: The loaded modules by name. Default: `sys.modules`.
    """

    def __init__(self, modules: dict[str, ModuleType] | None = None) -> None:
        self._modules = sys.modules if modules is None else modules
        self._is_newer: bool | None = None

    def snapshot(self) -> Snapshot:
        """The current price data. Imports nothing, waits for nothing, and never raises."""
        module = self._modules.get("genai_prices.data_snapshot")
        if module is None:
            return load_table()
        try:
            return self._loaded(module) or load_table()
        except Exception:  # noqa: BLE001 - an internal error must not reach the app
            internal_errors.record("pricing")
            return load_table()

    def _loaded(self, module: Any) -> DataSnapshot | None:
        """The library's data: what the app has set or updated, or what its release has if that is newer."""
        if getattr(module, "_custom_snapshot", None) is not None:
            snapshot: DataSnapshot = module.get_snapshot()
            return snapshot
        # The list is assigned once it is complete: without it `get_snapshot` would import it here.
        if not hasattr(self._modules.get("genai_prices.data"), "providers"):
            return None
        if self._is_newer is None:
            self._is_newer = is_newer(getattr(self._modules.get("genai_prices"), "__version__", ""))
        return module.get_snapshot() if self._is_newer else None


def is_newer(version: str) -> bool:
    """Whether a release of genai-prices is newer than the table."""
    return _numbers(version) > _numbers(VERSION)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


LIBRARY: Final = Library()


@dataclass(frozen=True, slots=True)
class LibraryPrice:
    """The library's prices of a model on one day.

    Attributes:
        model_id: The library's name of the model.
        provider_id: The library's name of the provider whose price it is.
        standard: The prices of ordinary calls.
        batch: The prices in a message batch; those of ordinary calls where the library has none.
        fast: The prices in fast mode, likewise.
        batch_fast: The prices of both together, likewise.
        daily: Whether the prices depend on the date.
        hourly: Whether they depend on the time of day.
    """

    model_id: str
    provider_id: str
    standard: Steps
    batch: Steps
    fast: Steps
    batch_fast: Steps
    daily: bool
    hourly: bool


def find_price(snapshot: Snapshot, model: str, provider: str, at: datetime) -> LibraryPrice | None:
    """Find the price of a model: the platform's own, which has regional premiums, or Anthropic's.

    Args:
        snapshot: The price data.
        model: The model's name in any platform's spelling.
        provider: A value of `gen_ai.provider.name`.
        at: When the call was made. Without a time zone it is UTC.

    Returns:
        The price; None for a model that the library doesn't know. Raises whatever the library raises.
    """
    at = at.replace(tzinfo=timezone.utc) if at.tzinfo is None else at.astimezone(timezone.utc)
    on_platform, listed = model_names(model)
    searches = [(_PLATFORMS.get(provider), on_platform), (_FIRST_PARTY, listed)]
    for provider_id, names in searches:
        owner = next((p for p in snapshot.providers if p.id == provider_id), None)
        found = owner and _find_model(owner, names)
        price = _compile(found, owner, at) if owner and found else None
        if price is not None:
            return price
    return None


def _find_model(owner: Provider | TableProvider, names: Iterable[str]) -> ModelInfo | TableModel | None:
    for name in names:
        # Not the library's own fallback to other providers, which does not know these spellings.
        found = owner.find_model(name)
        if found is not None and "claude" in found.id:
            return found
    return None


def _compile(model: ModelInfo | TableModel, owner: Provider | TableProvider, at: datetime) -> LibraryPrice | None:
    def steps(**context: str) -> Steps | None:
        return _steps(model.get_prices(at, context))

    standard = steps()
    if standard is None:
        return None
    conditions = [*(model.prices if isinstance(model.prices, list) else ()), *(model.price_variants or ())]
    constraints = [condition.constraint for condition in conditions if condition.constraint is not None]
    return LibraryPrice(
        model_id=model.id,
        provider_id=owner.id,
        standard=standard,
        batch=steps(processing="batch") or standard,
        fast=steps(speed="fast") or standard,
        batch_fast=steps(processing="batch", speed="fast") or standard,
        daily=bool(constraints),
        hourly=not all(hasattr(constraint, "start_date") for constraint in constraints),
    )


def _steps(prices: ModelPrice | TablePrices) -> Steps | None:
    """Convert the library's prices; None where it lacks a price for input or for output.

    Tokens without a price of their own have that of the tokens they are part of, as in the library: one-hour cache
    writes that of five-minute ones, and both, like cache reads, that of input.
    """
    if prices.input_mtok is None or prices.output_mtok is None:
        return None
    input_, output = prices.input_mtok, prices.output_mtok
    write = _or(prices.cache_write_mtok, input_)
    parts = {
        "cache_read": _or(prices.cache_read_mtok, input_),
        "cache_write_5m": _or(prices.cache_write_5m_mtok, write),
        "cache_write_1h": _or(prices.cache_write_1h_mtok, write),
        "web_search": _or(prices.web_searches_kcount, Decimal(0)),
    }
    starts = {
        tier.start
        for value in (input_, output, *parts.values())
        if not isinstance(value, Decimal)
        for tier in value.tiers
    }
    return tuple(
        (
            start,
            Price(
                _above(input_, start),
                _above(output, start),
                **{field: _above(value, start) for field, value in parts.items()},
            ),
        )
        for start in (-1, *sorted(starts))
    )


def _or(value: _Amount | None, default: _Amount) -> _Amount:
    return default if value is None else value


def _above(value: _Amount, start: int) -> Decimal:
    if isinstance(value, Decimal):
        return value
    reached = [tier for tier in value.tiers if tier.start <= start]
    return max(reached, key=lambda tier: tier.start).price if reached else value.base


# Compiled when first used: a process that makes no call never needs them.
_ARN: Final = r"arn:[\w-]+:bedrock:[^:]*:[^:]*:(?:inference-profile|foundation-model)/(.+)"
_BEDROCK: Final = r"(?:(?P<geo>[a-z]+(?:-[a-z]+)?)\.)?anthropic\.(?P<name>.+)"
_VERSION: Final = r"-v\d+(?::\w+)*$"
_DATE: Final = r"-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest|default)$"


def model_names(model: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names to look a model up by, most specific first.

    Args:
        model: Its name as an SDK sends it: Anthropic's own, Bedrock's with a region and a version
            (`us.anthropic.claude-haiku-4-5-20251001-v1:0`), the ARN of a Bedrock foundation model or of a
            system-defined inference profile, Vertex' with a date (`claude-sonnet-4-5@20250929`), or a path
            that ends in one of them. Any other ARN, such as that of an application's own profile, says
            nothing of the model.

    Returns:
        The platform's names and Anthropic's own names, in lower case. A name without a region has the price
        of calls within one, as on Bedrock, and one with `global` never has.
    """
    name = model.strip().lower()
    if name.startswith("arn:"):
        arn = re.fullmatch(_ARN, name)
        if arn is None:
            return (), ()
        name = arn[1]
    name = name.rpartition("/")[2]
    bedrock = re.fullmatch(_BEDROCK, name)
    bare = bedrock["name"] if bedrock else name
    plain = re.sub(_VERSION, "", bare).replace("@", "-")
    own = tuple(dict.fromkeys((bare, plain, re.sub(_DATE, "", plain))))
    if bedrock and bedrock["geo"] == "global":
        return tuple(dict.fromkeys((name, f"global.anthropic.{plain}"))), own
    return tuple(dict.fromkeys((name, *own))), own
