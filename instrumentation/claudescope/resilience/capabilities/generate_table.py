"""Write `table_data.py`: `python -m claudescope.resilience.capabilities.generate_table`.

It joins the names and deprecations of the installed SDK, the windows of genai-prices, and `published`.
"""

from __future__ import annotations

import json
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Final, get_args

from claudescope.resilience.capabilities.published import PUBLISHED

__all__ = ["generate", "sdk_models"]

_TARGET: Final = Path(__file__).with_name("table_data.py")
_HEAD: Final = '''"""What Claude's models can do. Generated: do not edit.

Written by `python -m claudescope.resilience.capabilities.generate_table` from the SDK (names, ends of life),
genai-prices (windows) and `published.py` (the rest, with its sources).
"""

from typing import Final

MODELS: Final = r"""
{models}
"""
"""A model on each line, as JSON: name, longest input, longest output, types of thinking, efforts, refusals, its end."""
'''


def sdk_models() -> tuple[str, ...]:
    """The names that the installed SDK knows, without those that have a date."""
    from anthropic.types.model import Model  # the SDK is only needed to generate

    literal = next(part for part in get_args(getattr(Model, "__value__", Model)) if get_args(part))
    return tuple(name for name in get_args(literal) if not re.search(r"-\d{8}$", name))


def generate() -> str:
    """The text of `table_data.py`.

    Raises:
        ValueError: The SDK names a model of which `published` has nothing, or which has no known window.
    """
    from anthropic.resources.messages import DEPRECATED_MODELS

    windows = _windows()
    rows: list[str] = []
    for name in sorted(sdk_models()):
        known = PUBLISHED.get(name)
        if known is None:
            raise ValueError(f"the SDK names {name!r}: add what is published of it to published.py")
        window = windows.get(name) or known.window
        if window is None:
            raise ValueError(f"genai-prices has no window for {name!r}: add the published one to published.py")
        end = DEPRECATED_MODELS.get(name)
        row: list[Any] = [name, window, known.max_tokens, known.thinking, known.effort, known.refuses]
        rows.append(json.dumps([*row, None if end is None else _date(end)], separators=(",", ":")))
    return _HEAD.format(models="\n".join(rows))


def _windows() -> dict[str, int]:
    from genai_prices.data_snapshot import get_snapshot  # takes a quarter of a second

    models = next(provider for provider in get_snapshot().providers if provider.id == "anthropic").models
    return {model.id: model.context_window for model in models if model.context_window}


def _date(text: str) -> str:
    """`2027-01-22` for the SDK's `January 22nd, 2027`."""
    plain = re.sub(r"(\d)(st|nd|rd|th)\b", r"\1", text)
    return datetime.strptime(plain, "%B %d, %Y").date().isoformat()  # noqa: DTZ007 - a day has no time zone


if __name__ == "__main__":
    _TARGET.write_text(generate(), encoding="utf-8")
    sys.stdout.write(f"wrote {_TARGET}\n")
