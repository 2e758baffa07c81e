"""The rules that findings come from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from claudescope.audit.rules.rule import Rule

__all__ = ["RULES", "Rule"]

RULES: Final[Mapping[str, Rule]] = MappingProxyType({})
"""Every rule, by its name."""
