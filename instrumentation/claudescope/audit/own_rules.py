"""Rules about what the audit reads, rather than about calls: files and ignore comments. And the table of all rules."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from claudescope.audit.rules import RULES, Rule

__all__ = ["ALL_RULES", "INVALID_IGNORE", "UNREADABLE_FILE", "UNUSED_IGNORE"]

UNREADABLE_FILE: Final = Rule(
    name="unreadable-file",
    severity="warning",
    summary="The audit can't read a file: its encoding, its size, its permissions or its notebook format is wrong.",
    why="Calls in a file that is not read are missing from the inventory, and nobody is told how they fail.",
    bad="# saved as Latin-1, without a declaration\nGREETING = 'Grüße'\n",
    good="# -*- coding: latin-1 -*-\nGREETING = 'Grüße'\n",
)

INVALID_IGNORE: Final = Rule(
    name="invalid-ignore",
    severity="warning",
    summary="An ignore comment has no reason, names no rule, or names a rule that does not exist.",
    why="It ignores nothing until it is complete. A reason tells the next reader when the comment can go.",
    bad="client.messages.create(**request)  # claudescope: ignore[no-timeout]\n",
    good="client.messages.create(**request)  # claudescope: ignore[no-timeout] a nightly job, nobody waits for it\n",
)

UNUSED_IGNORE: Final = Rule(
    name="unused-ignore",
    severity="warning",
    summary="An ignore comment matches no finding.",
    why="The code was mended or moved. Left in place, the comment hides the next finding of that rule on its line.",
    bad="client = Anthropic(timeout=10)  # claudescope: ignore[no-timeout] a nightly job\n",
    good="client = Anthropic(timeout=10)\n",
)

ALL_RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {**RULES, **{rule.name: rule for rule in (UNREADABLE_FILE, INVALID_IGNORE, UNUSED_IGNORE)}}
)
"""Every rule that a finding can have, by its name."""
