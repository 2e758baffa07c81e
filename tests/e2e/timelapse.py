"""Makes generated rules and routes run through their windows and waits some times faster, all alike.

An alert on five minutes that has to last two is then one on ten seconds that has to last four. Thresholds,
labels and the order of things are untouched; promtool proves the real durations in the generated tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

FACTOR = 30

_SECONDS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = re.compile(r"(\d+)([smhdw])")
_DURATION = r"(?:\d+[smhdw])+"
# In PromQL: [5m], [30d:1h], offset 23h30m. In rules and routes: for, keep_firing_for, group_wait and the like.
_PROMQL = re.compile(rf"(?<=\[){_DURATION}(?=[\]:])|(?<=:){_DURATION}(?=\])|(?<=\boffset ){_DURATION}")
_KEYS = re.compile(rf"(?m)(?<=for: ){_DURATION}$|(?<=interval: ){_DURATION}$|(?<=wait: ){_DURATION}$")


def faster(text: str) -> str:
    """Generated YAML with every duration `FACTOR` times as short, and no shorter than a second."""
    return _KEYS.sub(_shorter, _PROMQL.sub(_shorter, text))


def _shorter(match: re.Match[str]) -> str:
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(match.group()))
    return f"{max(1, seconds // FACTOR)}s"
