"""The only module that touches `genai-prices`: its import, its model lookup and its data model.

The library takes a quarter of a second to import, so nothing here imports it before it is needed.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from claudescope._internal import internal_errors
from claudescope._internal.fork import run_before_fork, run_in_child
from claudescope.pricing.rates import Price, Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

__all__ = ["LIBRARY", "LOAD_TIMEOUT", "Library", "LibraryPrice", "find_price", "model_names"]

LOAD_TIMEOUT: Final = 2.0
"""Seconds that a process waits once for a running import of the price library; calls are unpriced until then."""

_FIRST_PARTY: Final = "anthropic"
# From gen_ai.provider.name to the provider id of genai-prices. Microsoft Foundry has Anthropic's own prices, and an
# unknown provider is most likely a gateway that charges them too.
_PLATFORMS: Final = {"aws.bedrock": "aws", "gcp.vertex_ai": "google"}


class Library:
    """The price library in this process: not loaded, loading, loaded or broken.

    Args:
        load: Imports the library, and returns the function that returns its current data.
    """

    def __init__(self, load: Callable[[], Callable[[], DataSnapshot]] | None = None) -> None:
        self._load = load or _import_library
        self._get: Callable[[], DataSnapshot] | None = None
        self._broken = False
        self._waited = False
        self._thread: threading.Thread | None = None
        self._start_token = [True]  # `pop` is atomic: one thread starts the import

    def warm(self) -> None:
        """Start the import in a daemon thread, once per process. Never raises."""
        if self._get is not None:
            return
        try:
            self._start_token.pop()
        except IndexError:
            return
        thread = threading.Thread(target=self._run, name="claudescope-prices", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads: the first priced call imports it
            internal_errors.record("pricing")
        else:
            self._thread = thread

    def snapshot(self) -> DataSnapshot | None:
        """The current price data; None where the import takes too long or failed. Never raises."""
        if self._get is None and not self._broken:
            self._wait_or_load()
        if self._get is None:
            return None
        try:
            return self._get()
        except Exception:  # noqa: BLE001 - an internal error must not reach the app
            internal_errors.record("pricing")
            return None

    def _wait_or_load(self) -> None:
        if self._thread is None:
            self._run()
        elif not self._waited:
            self._thread.join(LOAD_TIMEOUT)
            self._waited = True

    def _run(self) -> None:
        try:
            self._get = self._load()
        except Exception:  # noqa: BLE001 - an internal error must not reach the app
            self._broken = True
            internal_errors.record("pricing")

    def before_fork(self) -> None:
        """Wait for a running import: a child would inherit its import locks, held by a thread that it doesn't have."""
        if self._thread is not None and self._get is None and not self._broken:
            self._thread.join(LOAD_TIMEOUT)

    def after_fork(self) -> None:
        """In a child: give up an import that was still running, as it will never end there."""
        if self._thread is not None and self._get is None:
            self._broken = True


def _import_library() -> Callable[[], DataSnapshot]:
    from genai_prices.data_snapshot import get_snapshot

    get_snapshot()  # parses the bundled data, which takes most of the time
    return get_snapshot


LIBRARY: Final = Library()
run_before_fork(LIBRARY, Library.before_fork)
run_in_child(LIBRARY, Library.after_fork)


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


def find_price(snapshot: DataSnapshot, model: str, provider: str, at: datetime) -> LibraryPrice | None:
    """Find the price of a model: the platform's own, which has regional premiums, or Anthropic's.

    Args:
        snapshot: The library's data.
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


def _find_model(owner: Provider, names: Iterable[str]) -> ModelInfo | None:
    for name in names:
        # Not the library's own fallback to other providers, which does not know these spellings.
        found = owner.find_model(name)
        if found is not None and "claude" in found.id:
            return found
    return None


def _compile(model: ModelInfo, owner: Provider, at: datetime) -> LibraryPrice | None:
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


def _steps(prices: ModelPrice) -> Steps | None:
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


def _or(value: Decimal | TieredPrices | None, default: Decimal | TieredPrices) -> Decimal | TieredPrices:
    return default if value is None else value


def _above(value: Decimal | TieredPrices, start: int) -> Decimal:
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
