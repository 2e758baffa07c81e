"""The committed table of prices is that of genai-prices: same models, same names, same prices on every day."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.types import (
    ClauseAnd,
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    TimeOfDateConstraint,
)

from claudescope.pricing import generate_table, table_data
from claudescope.pricing.genai_prices import find_price, model_names
from claudescope.pricing.table import load_table

_PLATFORMS = {"anthropic": "anthropic", "aws": "aws.bedrock", "google": "gcp.vertex_ai"}
_CLAUDE = [(owner, model) for owner in get_snapshot().providers for model in owner.models if "claude" in model.id]
_OURS = [(owner, model) for owner, model in _CLAUDE if owner.id in _PLATFORMS]


def _changes(model: ModelInfo) -> set[datetime]:
    """A moment before and one after each change of a model's prices."""
    conditions = [*(model.prices if isinstance(model.prices, list) else ()), *(model.price_variants or ())]
    starts = {
        datetime.combine(item.constraint.start_date, datetime.min.time(), timezone.utc)
        for item in conditions
        if isinstance(item.constraint, StartDateConstraint)
    }
    day, second = timedelta(days=1), timedelta(seconds=1)
    now = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
    return {now, *starts, *(start - second for start in starts), *(start + day for start in starts)}


def test_the_table_is_up_to_date() -> None:
    """The table is what the generator writes: `python -m claudescope.pricing.generate_table` mends it."""
    assert version("genai-prices") == table_data.VERSION
    assert Path(str(table_data.__file__)).read_text(encoding="utf-8") == generate_table.generate()


def test_every_model_is_in_the_table() -> None:
    """It has every Claude model of the providers that it covers."""
    listed = {(owner.id, model.id) for owner in load_table().providers for model in owner.models}
    assert listed == {(owner.id, model.id) for owner, model in _OURS}


@pytest.mark.parametrize("provider", [*_PLATFORMS.values(), "azure.ai.foundry", "a.gateway"])
def test_every_name_has_the_librarys_prices(provider: str) -> None:
    """Every name of every model, on every platform, on both sides of each change, in batches and in fast mode."""
    for _, model in _CLAUDE:
        spelt = model.id.replace("regional.", "us.")
        names = {
            spelt,
            *(name for found in model_names(spelt) for name in found),
            f"{spelt}-20260921",
            f"{spelt}@20260921",
            f"{spelt}-latest",
            f"eu.anthropic.{spelt}-v1:0",
            f"global.anthropic.{spelt}-v1:0",
        }
        for name in names:
            for at in _changes(model):
                assert find_price(load_table(), name, provider, at) == find_price(get_snapshot(), name, provider, at)


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (ModelInfo("claude-x", ClauseAnd([]), prices=ModelPrice()), "pattern"),
        (
            ModelInfo(
                "claude-x",
                ClauseEquals("x"),
                prices=[
                    ConditionalPrice(
                        constraint=TimeOfDateConstraint(datetime.min.time(), datetime.max.time()), prices=ModelPrice()
                    )
                ],
            ),
            "condition",
        ),
    ],
)
def test_what_the_table_can_not_express(model: ModelInfo, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator refuses data that the table would tell wrongly."""
    data: Any = DataSnapshot([Provider("anthropic", "Anthropic", "x", models=[model])], from_auto_update=False)
    monkeypatch.setattr("genai_prices.data_snapshot.get_snapshot", lambda: data)
    with pytest.raises(ValueError, match=f"a {problem} that the table can't express"):
        generate_table.generate()
