"""What is published of each model and in no installed package: the input of `generate_table`.

Names, deprecations and windows come from the SDK and genai-prices; only what neither has is here. Checked in November
2026 against:

- the models overview, https://platform.claude.com/docs/en/about-claude/models/overview: longest output, windows that
  genai-prices does not have;
- https://platform.claude.com/docs/en/build-with-claude/thinking and `/effort`: accepted types and levels;
- https://platform.claude.com/docs/en/api/errors#prefill-not-supported;
- the capability tables of litellm 1.110 and pydantic-ai 2.68, whose authors tried each parameter on the API.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["PUBLISHED", "Published"]

_LOW_TO_HIGH: Final = ("low", "medium", "high")
_WITH_MAX: Final = (*_LOW_TO_HIGH, "max")
_EVERY_EFFORT: Final = (*_LOW_TO_HIGH, "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Published:
    """Facts about one model.

    Attributes:
        max_tokens: The longest output, thinking included.
        thinking: The values of `thinking.type` that do not get a 400.
        effort: The values of `output_config.effort` that do not get a 400.
        refuses: What gets a 400: `prefill`, `sampling` (temperature, top_p, top_k), `forced_tools` (a `tool_choice` of
            `any` or `tool`), `fast` (`speed`), `system_messages` (the role `system` in `messages`), `structured`.
        window: The longest input, where genai-prices does not have the model.
    """

    max_tokens: int
    thinking: tuple[str, ...]
    effort: tuple[str, ...]
    refuses: tuple[str, ...]
    window: int | None = None


_BUDGETS: Final = ("disabled", "enabled")
_BOTH: Final = ("adaptive", "disabled", "enabled")
_ADAPTIVE: Final = ("adaptive", "disabled")
_ALWAYS: Final = ("adaptive",)
_NEW: Final = ("prefill", "sampling")


def _newest(*thinking: str, refuses: tuple[str, ...], window: int | None = None) -> Published:
    return Published(128_000, thinking, _EVERY_EFFORT, (*_NEW, *refuses), window)


PUBLISHED: Final[dict[str, Published]] = {
    "claude-haiku-4-5": Published(64_000, _BUDGETS, (), ("fast", "system_messages")),
    "claude-sonnet-4-5": Published(64_000, _BUDGETS, (), ("fast", "system_messages")),
    "claude-opus-4-5": Published(64_000, _BUDGETS, _LOW_TO_HIGH, ("fast", "system_messages")),
    "claude-sonnet-4-6": Published(128_000, _BOTH, _WITH_MAX, ("prefill", "fast", "system_messages")),
    "claude-opus-4-6": Published(128_000, _BOTH, _WITH_MAX, ("prefill", "system_messages")),
    "claude-opus-4-7": _newest(*_ADAPTIVE, refuses=("system_messages",)),
    "claude-opus-4-8": _newest(*_ADAPTIVE, refuses=()),
    "claude-opus-5": _newest(*_ADAPTIVE, refuses=()),
    "claude-opus-5-5": _newest(*_ALWAYS, refuses=("forced_tools",)),
    "claude-sonnet-5": _newest(*_ADAPTIVE, refuses=("fast", "system_messages")),
    "claude-sonnet-5-5": _newest("adaptive", "between_tools", refuses=("fast", "forced_tools")),
    "claude-haiku-5-5": _newest(*_ADAPTIVE, refuses=("fast",)),
    "claude-fable-5": _newest(*_ALWAYS, refuses=("fast",)),
    "claude-fable-5-1": _newest(*_ALWAYS, refuses=("fast", "forced_tools")),
    "claude-fable-5-2": _newest(*_ALWAYS, refuses=("forced_tools",)),
    "claude-mythos-preview": _newest(*_ALWAYS, refuses=("fast", "system_messages"), window=1_000_000),
    "claude-mythos-5": _newest(*_ALWAYS, refuses=("fast",), window=1_000_000),
    "claude-mythos-5-1": _newest(*_ALWAYS, refuses=("fast", "forced_tools"), window=1_000_000),
    "claude-mythos-5-2": _newest(*_ALWAYS, refuses=("forced_tools",)),
}
"""Every model that the SDK names, by its name without a date."""
