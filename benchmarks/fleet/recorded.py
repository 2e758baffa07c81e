"""Replaces recorded series by their raw expressions, and writes the past of recorded series.

`Inliner` makes the query that a dashboard or a rule would need without recording rules.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from benchmarks.fleet.app import DAY
from benchmarks.fleet.remote_write import STEP

__all__ = ["Inliner", "Recorded", "past_of", "recordings_of", "spans_of"]

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_USE: Final = re.compile(
    r"(?P<name>claude\w*(?::\w+)+)(?:\{(?P<conditions>[^}]*)\})?(?:\[(?P<window>\w+)(?::(?P<step>\w*))?\])?"
    r"(?: offset (?P<offset>\w+))?"
)
_EQUAL: Final = re.compile(r'(\w+)="([^"]*)"')
_WINDOWED: Final = re.compile(r":rate(\w+)$")
_SHORTEST: Final = "5m"
"""The window of an objective whose raw expression is the template for all other windows."""


def seconds_of(duration: str) -> int:
    """Convert a Prometheus duration to seconds."""
    return sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+)([smhd])", duration))


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording rule.

    Attributes:
        name: Name of the series.
        expr: PromQL.
        labels: Labels that it adds.
        every: Minutes between evaluations.
    """

    name: str
    expr: str
    labels: Mapping[str, str]
    every: int = 1


def recordings_of(rules: Iterable[str]) -> list[Recorded]:
    """Return the recording rules of rule files."""
    groups: list[Any] = [group for text in rules for group in yaml.safe_load(text)["groups"]]
    return [
        Recorded(rule["record"], rule["expr"], rule.get("labels", {}), seconds_of(group.get("interval", "1m")) // STEP)
        for group in groups
        for rule in group["rules"]
        if "record" in rule
    ]


class Inliner:
    """Replaces each recorded series by its raw expression.

    A window of an objective that is computed from recorded shorter windows is computed from raw series as a whole.

    Args:
        recordings: All recording rules.
    """

    def __init__(self, recordings: Iterable[Recorded]) -> None:
        self._recordings = list(recordings)

    def inline(self, expr: str) -> str:
        """Return the same query on raw series only, with the labels that the rules add.

        Raises:
            ValueError: No rule records a series of the query.
        """
        return _USE.sub(self._raw, expr)

    def reads_recorded(self, expr: str) -> bool:
        """Return whether a query reads a recorded series."""
        return _USE.search(expr) is not None

    def _raw(self, use: re.Match[str]) -> str:
        wanted = dict(_EQUAL.findall(use["conditions"] or ""))
        rules = [
            rule
            for rule in self._recordings
            if rule.name == use["name"] and all(rule.labels.get(key, value) == value for key, value in wanted.items())
        ]
        if not rules:
            raise ValueError(f"no rule records {use[0]}")
        several = " or ".join(self._labelled(rule) for rule in rules)
        raw, offset = f"({several})", f" offset {use['offset']}" if use["offset"] else ""
        if use["window"]:
            return f"{raw}[{use['window']}:{use['step'] or '1m'}]{offset}"
        # Only a selector or a subquery can have an offset.
        return f"last_over_time({raw}[1m:1m]{offset})" if offset else raw

    def _whole(self, rule: Recorded) -> str:
        """Return the expression of a rule, computed from raw series if the rule uses recorded ones."""
        window = _WINDOWED.search(rule.name)
        if window is None or rule.name[: window.start(1)] not in rule.expr:
            return rule.expr
        name = rule.name[: window.start(1)] + _SHORTEST
        shortest = next(one for one in self._recordings if one.name == name and one.labels == rule.labels)
        return shortest.expr.replace(f"[{_SHORTEST}]", f"[{window[1]}]").replace(f"rate{_SHORTEST}", f"rate{window[1]}")

    def _labelled(self, rule: Recorded) -> str:
        expr = self.inline(self._whole(rule))
        for name, value in rule.labels.items():
            expr = f'label_replace({expr}, "{name}", "{value}", "", "")'
        return expr


def spans_of(exprs: Iterable[str]) -> dict[str, int]:
    """Return the seconds for which queries look back at each recorded series, at least a day, as dashboards show."""
    spans: dict[str, int] = {}
    for expr in exprs:
        for use in _USE.finditer(expr):
            back = seconds_of(use["window"] or "") + seconds_of(use["offset"] or "")
            spans[use["name"]] = max(spans.get(use["name"], DAY), back + 2 * 3600 if back else 0)
    return spans


def past_of(shapes: Sequence[tuple[Mapping[str, str], float]], spans: Mapping[str, int], end: int) -> Iterator[str]:
    """Write OpenMetrics of recorded series up to a time, with one sample per minute.

    Args:
        shapes: Labels of each series, including its name, and one of its values.
        spans: Length in seconds by name. Other series get a day.
        end: End in Unix seconds.
    """
    written: list[tuple[str, str, float]] = []
    for labels, value in shapes:
        inner = ",".join(f'{key}="{text}"' for key, text in sorted(labels.items()) if key != "__name__")
        written.append((labels["__name__"], f"{labels['__name__']}{{{inner}}}", value))
    for name, series, value in sorted(written):
        start = end - spans.get(name, DAY)
        yield "".join(
            f"{series} {value * (1 + 0.1 * math.sin(at / 7200)):.9g} {at}\n" for at in range(start, end, STEP)
        )
    yield "# EOF\n"
