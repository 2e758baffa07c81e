"""Compares what the calls of a workflow need with what the models of its chain can do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from claudescope._internal.exceptions import did_you_mean
from claudescope.resilience.capabilities.fits import is_gone
from claudescope.resilience.capabilities.models import Book, Capabilities, load_table
from claudescope.resilience.engine.rules import CallPolicy, Needs

__all__ = ["lacks", "notes"]

_THINKING: Final = frozenset({"adaptive", "enabled"})


def lacks(model: str, needs: Needs) -> tuple[str, ...]:
    """What a model lacks of what calls need, by the committed table; empty for a model that isn't in it.

    A model that is retired lacks nothing: a policy must not fail on the day when one of its models ends.
    """
    able = Book().find(model)
    return () if able is None else tuple(_missing(able, needs))


def _missing(able: Capabilities, needs: Needs) -> Iterator[str]:
    for word, needed, most in (
        ("input", needs.input_tokens, able.max_input_tokens),
        ("output", needs.max_tokens, able.max_tokens),
    ):
        if needed is not None and most is not None and needed > most:
            yield f"an {word} of {needed} tokens (it takes {most})"
    for feature in sorted(needs.features):
        refused = feature in able.refuses
        if feature == "thinking" and able.thinking is not None:
            refused = not able.thinking & _THINKING
        if refused:
            yield feature.replace("_", " ")


def notes(policy: CallPolicy, today: date) -> list[str]:
    """What is worth knowing about the chain of models of a workflow, one sentence each."""
    book, found = Book(), list[str]()
    first: Capabilities | None = None
    for model in policy.models:
        able = book.find(model)
        if able is None:
            hint = did_you_mean(model, load_table())
            found.append(f"the model {model} is not known, so what it can do is not checked.{hint}")
            continue
        if is_gone(able, today):
            found.append(f"the model {model} is retired. Calls pass over it")
        if first is None:
            first = able
        elif first.max_input_tokens and able.max_input_tokens and able.max_input_tokens < first.max_input_tokens:
            found.append(
                f"{model} takes {able.max_input_tokens} tokens and {first.model} takes {first.max_input_tokens}. "
                "Longer inputs do not fall back to it"
            )
    return found
