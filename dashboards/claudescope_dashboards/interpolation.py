"""Replaces variables in queries as Grafana's Prometheus data source does."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

__all__ = ["Resolver"]

_ALL: Final = ".*"
_MINIMUM_STEPS: Final = (
    1,
    5,
    10,
    15,
    20,
    30,
    60,
    120,
    300,
    600,
    900,
    1200,
    1800,
    3600,
    7200,
    10800,
    21600,
    43200,
    86400,
)
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True, slots=True)
class Resolver:
    """Replaces the variables of a query.

    Attributes:
        seconds: Length of the dashboard's time range in seconds.
        points: Width of the panel in points.
        scrape: Scrape interval of the data source in seconds.
        chosen: Selected values by variable. Variables that are missing here are All.
    """

    INTERVALS: ClassVar[frozenset[str]] = frozenset({"__rate_interval", "__interval", "__range", "__range_s"})

    seconds: int = 6 * 3600
    points: int = 1000
    scrape: int = 15
    chosen: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])

    @property
    def step(self) -> int:
        """Grafana's `$__interval` in seconds: the time range over the points, rounded, at least the scrape interval."""
        desired = max(math.ceil(self.seconds / self.points), self.scrape)
        return next((step for step in _MINIMUM_STEPS if step >= desired), _MINIMUM_STEPS[-1])

    def resolve(self, expr: str) -> str:
        """Return the query that Grafana sends to the server."""
        known = {
            "__rate_interval": f"{max(self.step + self.scrape, 4 * self.scrape)}s",
            "__interval": f"{self.step}s",
            "__range": f"{self.seconds}s",
            "__range_s": f"{self.seconds}",
        }

        def value(found: re.Match[str]) -> str:
            name = found[1] or found[2]
            if name in known:
                return known[name]
            if name[0].isdigit():
                return found[0]  # a group of label_replace, not a variable
            values = self.chosen.get(name)
            if values is None:
                return _ALL
            # Escaped twice: for the regular expression, and for the string literal around it.
            escaped = [re.sub(r"[.\\^$*+?{}\[\]()|]", r"\\\\\g<0>", text) for text in values]
            return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"

        return _VARIABLE.sub(value, expr)
