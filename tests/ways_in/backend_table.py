"""The table of `docs/backends.md`. What arrived on each way is recorded by `tests.ways_in.backend_ways`."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["MARKDOWN", "RESULTS", "Result", "render"]

_DOCS: Final = Path(__file__).parents[2] / "docs"
RESULTS: Final = _DOCS / "backends.json"
MARKDOWN: Final = _DOCS / "backends.md"

_HEAD: Final = """# Ways to a backend

Metrics can reach Prometheus in several ways, which give them different names and store histograms in different forms.
Each row is a way that works whole, from the app to panels and rules, with the `naming`, the `namespace` and the
`histograms` of the [spec](reference/spec.md) that fit. Where `auto` fits, `histograms` needs no change.
`claudescope doctor --prometheus URL` says which row is yours.

`make test-backends` runs all of them with real servers (Prometheus 3.16, the OpenTelemetry Collector and
VictoriaMetrics), and writes this page. A panel counts if it can have data within a minute of calls. Values are right
if counts equal those of the app, the error ratio of an objective is that of the app, and percentiles agree: within 5 %
with exponential histograms, and within a bucket with explicit ones.

"""

_FOOT: Final = """
## Forms of histograms

| form | from | percentiles |
|---|---|---|
| native, exponential | OTLP as `configure()` sends it by default | within 5 % |
| native with custom buckets | explicit buckets that Prometheus converts | within a bucket |
| classic | scrapes, and explicit buckets over OTLP | within a bucket |

A bucket of durations ends at twice its start, so a percentile of classic histograms may be wrong by up to a factor of
two; those of tokens by up to 1.6. Panels of percentiles say so in their descriptions.

- `OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=explicit_bucket_histogram` in the environment of the app
  sends explicit buckets.
- VictoriaMetrics stores exponential histograms in buckets of its own, which PromQL does not know. Send explicit
  buckets to it.
- A server that converts only the names of metrics, such as VictoriaMetrics with
  `-opentelemetry.convertMetricNamesToPrometheus`, leaves dots in the names of labels. No `naming` fits that.
"""


@dataclass(frozen=True)
class Result:
    """What arrived on a way.

    Attributes:
        naming: The `naming` of the spec.
        namespace: The `namespace` of the spec.
        histograms: The values of `histograms` that fit.
        panels: Queries of panels with data, of those that can have some.
        objectives: Objectives that are recorded, of all.
        problems: What is missing or wrong; empty where all is well.
    """

    naming: str
    namespace: str
    histograms: list[str]
    panels: str
    objectives: str
    problems: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return dataclasses.asdict(self)


def render() -> str:
    """What `docs/backends.md` must hold, by the recorded results."""
    recorded: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    rows = [
        ["way", "`naming`", "`histograms`", "panels with data", "objectives recorded", "values"],
        ["---"] * 6,
        *(_cells(name, Result(**result)) for name, result in recorded.items()),
    ]
    return _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows) + _FOOT


def _cells(name: str, result: Result) -> list[str]:
    naming = f"`{result.naming}`" + (f", `namespace: {result.namespace}`" if result.namespace else "")
    forms = " or ".join(f"`{form}`" for form in result.histograms)
    values = "wrong" if result.problems else "right"
    return [name, naming, forms, result.panels, result.objectives, values]
