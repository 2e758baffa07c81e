"""Measures every panel and every rule group on a day of 10, 100 and 1,000 instances in a real Prometheus.

    python -m benchmarks.fleet [--print] [INSTANCES ...]

Compares results with and without recording rules: dashboards on recorded series with the same dashboards on raw series,
and rule groups with their alerts alone, in which the raw expression replaces each recorded series.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from benchmarks.environments import ROOT
from benchmarks.fleet.app import MODELS, series_of_an_app
from benchmarks.fleet.recorded import Inliner, recordings_of, spans_of
from benchmarks.fleet.store import fleet, of_each, shapes_of
from benchmarks.fleet.timing import NOT_ASKED, Pair, Took, inlined_rules, panels, rule_groups
from benchmarks.page import machine, publish, table
from claudescope_alerts.build import build
from claudescope_alerts.spec.model import Spec, load_spec
from claudescope_dashboards.build import dashboards_of
from claudescope_dashboards.lint import queries_of

__all__: list[str] = []

SIZES: Final = (10, 100, 1000)
INTERVAL: Final = 60
"""Seconds between evaluations, the default of Prometheus. The goal of a rule group is a part of it."""

_QUICK: Final = 10
_PANEL_GOAL, _GROUP_GOAL = 1.0, 0.1 * INTERVAL
_LISTED: Final = 12


@dataclass(frozen=True)
class Measured:
    """One size of fleet.

    Attributes:
        samples: Number of samples that were written.
        seconds: Seconds that the writing took.
        panels: Results of panels by name.
        groups: Results of rule groups by name.
    """

    samples: int
    seconds: float
    panels: Mapping[str, Pair]
    groups: Mapping[str, Pair]


def _rules(spec: Spec) -> dict[str, str]:
    return {Path(name).stem: text for name, text in build(spec).items() if name.startswith("rules/")}


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def measure(sizes: Sequence[int]) -> tuple[str, dict[int, Measured]]:
    """Measure fleets of these sizes. Returns a description of the series, and the results by size."""
    raw_spec = load_spec()
    spec = raw_spec.model_copy(update={"fleet_rollup": True})
    rules, dashboards, raw_dashboards = _rules(spec), dashboards_of(spec), dashboards_of(raw_spec)
    recordings = recordings_of(rules.values())
    inliner = Inliner(recordings)
    inlined = inlined_rules(rules, inliner)
    queries = [expr for dashboard in dashboards.values() for _, expr in queries_of(dashboard)]
    series = series_of_an_app(rules.values(), queries)
    spans = spans_of([*queries, *(recording.expr for recording in recordings)])
    found: dict[int, Measured] = {}
    place = ROOT / ".cache" / "benchmarks"
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place) as temporary:
        folder = Path(temporary) / "one"
        folder.mkdir()
        shapes = shapes_of(series, rules, recordings, folder)
        each = of_each(shapes, recordings)
        which = (
            f"{len(series)} series and {len(each)} recorded series per instance; {len(shapes) - len(each)} recorded "
            "series for the whole fleet"
        )
        _say(which)
        before = Measured(0, 0, {}, {})
        for instances in sizes:
            folder = Path(temporary) / str(instances)
            folder.mkdir()
            interval = _QUICK if instances <= 100 else INTERVAL
            with fleet(series, instances, shapes, each, spans, folder) as store:
                _say(f"{instances} instances: {store.samples / 1e6:.0f} million samples in {store.seconds:.0f} s")
                with_ = rule_groups(store, rules, interval, evaluations=2 if interval > _QUICK else 3)
                _say("rule groups are measured")
                tried = {
                    name: text for name, text in inlined.items()
                    if not any(before.groups[group].hopeless for group in _names(text) if group in before.groups)
                }  # fmt: skip
                without = rule_groups(store, tried, interval, evaluations=2)
                _say("rule groups without recording rules are measured")
                store.evaluate({}, INTERVAL)
                groups = {name: Pair(took, _without(name, rules, inlined, without)) for name, took in with_.items()}
                shown = panels(store, dashboards, raw_dashboards, inliner, before.panels, min(time.time(), store.end))
                _say("panels are measured")
                found[instances] = before = Measured(store.samples, store.seconds, shown, groups)
            shutil.rmtree(folder)
    return which, found


def _names(text: str) -> list[str]:
    return [str(group["name"]) for group in yaml.safe_load(text)["groups"]]


def _without(name: str, rules: Mapping[str, str], inlined: Mapping[str, str], took: Mapping[str, Took]) -> Took | None:
    """Return the time of a group without recording rules, or None if it neither records nor reads recorded series."""
    file = next(file for file, text in rules.items() if name in _names(text))
    alone = [rule for group in yaml.safe_load(inlined[file])["groups"] for rule in group["rules"]]
    if [rule for group in yaml.safe_load(rules[file])["groups"] for rule in group["rules"]] == alone or not alone:
        return None
    return took.get(name, Took(0, NOT_ASKED))


def _written(took: Took | None, goal: float) -> str:
    if took is None:
        return "same"
    if took.problem:
        return took.problem
    text = f"{took.seconds * 1000:,.0f} ms" if took.seconds < 1 else f"{took.seconds:,.1f} s"
    text = f"> {text}" if took.more else text
    return f"**{text}**" if took.seconds > goal else text


def _growth(sizes: Sequence[int], values: Sequence[Took | None]) -> str:
    """Return the factor by which ten times as many instances take longer, between the smallest and largest fleet."""
    known = [
        (math.log10(size), took.seconds)
        for size, took in zip(sizes, values, strict=True)
        if took is not None and not took.problem and not took.more and took.seconds > 0
    ]
    if len(known) < 2:
        return ""
    (low, first), (high, last) = known[0], known[-1]
    return f"{(last / first) ** (1 / (high - low)):.1f}"


def _worst(tooks: Iterable[Took]) -> Took:
    """Return the slowest. A query without a result is slower than all others."""
    return max(tooks, key=lambda took: (bool(took.problem), took.seconds))


def _rows(
    found: Mapping[int, Measured], of: Callable[[Measured], Mapping[str, Pair]], names: Sequence[str], goal: float
) -> list[list[str]]:
    sizes = list(found)
    rows: list[list[str]] = []
    for name in names:
        pairs = [of(found[size])[name] for size in sizes]
        recorded, raw = [pair.recorded for pair in pairs], [pair.raw for pair in pairs]
        rows.append([
            name, *(_written(took, goal) for took in recorded), _growth(sizes, recorded),
            *(_written(took, goal) for took in raw), _growth(sizes, raw),
        ])  # fmt: skip
    return rows


def _head(first: str, sizes: Sequence[int]) -> list[str]:
    return [first, *(f"{size:,}" for size in sizes), "tenfold", *(f"{size:,}, without" for size in sizes), "tenfold"]


def _dashboards(found: Mapping[int, Measured]) -> str:
    """Format the slowest panel of each dashboard, and the number of panels that meet the goal."""
    sizes, rows = list(found), list[list[str]]()
    for dashboard in dict.fromkeys(name.split(":")[0] for name in found[sizes[0]].panels):
        of = [[pair for name, pair in found[size].panels.items() if name.split(":")[0] == dashboard] for size in sizes]
        slowest = [_written(_worst(pair.recorded for pair in pairs), _PANEL_GOAL) for pairs in of]
        without = [_written(_worst(pair.raw or pair.recorded for pair in pairs), _PANEL_GOAL) for pairs in of]
        met = sum(not pair.recorded.problem and pair.recorded.seconds <= _PANEL_GOAL for pair in of[-1])
        raw = [pair.raw or pair.recorded for pair in of[-1]]
        met_raw = sum(not took.problem and took.seconds <= _PANEL_GOAL for took in raw)
        rows.append([dashboard, *slowest, *without, f"{met} of {len(raw)}", f"{met_raw} of {len(raw)}"])
    head = ["slowest panel of", *(f"{size:,}" for size in sizes), *(f"{size:,}, without" for size in sizes)]
    return table([*head, f"≤ 1 s at {sizes[-1]:,}", "without"], rows)


def _report(series: str, found: Mapping[int, Measured]) -> str:
    sizes = list(found)
    last = found[sizes[-1]]
    by_time = sorted(
        last.panels, key=lambda name: (-bool(last.panels[name].recorded.problem), -last.panels[name].recorded.seconds)
    )
    groups = sorted(last.groups, key=lambda name: -last.groups[name].recorded.seconds)
    missed = sum(bool(pair.recorded.problem) or pair.recorded.seconds > _PANEL_GOAL for pair in last.panels.values())
    late = sum(bool(pair.recorded.problem) or pair.recorded.seconds > _GROUP_GOAL for pair in last.groups.values())
    written = ", ".join(f"{found[size].samples / 1e6:,.0f}" for size in sizes)
    fleets = ", ".join(f"{size:,}" for size in sizes)
    what = f"{fleets} instances with {len(MODELS)} models: {series}. {written} million samples."
    met = (
        f"Panels, of which {len(last.panels) - missed} of {len(last.panels)} take at most 1 s at {sizes[-1]:,} "
        "instances:"
    )
    kept = (
        f"Rule groups, of which {len(groups) - late} of {len(groups)} take at most 10 % of {INTERVAL} s at "
        f"{sizes[-1]:,} instances. The {_LISTED} slowest:"
    )
    panel_rows = _rows(found, lambda one: one.panels, by_time[:_LISTED], _PANEL_GOAL)
    group_rows = _rows(found, lambda one: one.groups, groups[:_LISTED], _GROUP_GOAL)
    parts = [f"Measured on {machine()}; Prometheus 3.5.", what, met, _dashboards(found)]
    parts += [f"The {_LISTED} slowest at {sizes[-1]:,} instances:", table(_head("panel", sizes), panel_rows)]
    parts += [kept, table(_head("group", sizes), group_rows)]
    return "\n\n".join(parts)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("instances", nargs="*", type=int, help="sizes of the fleet, smallest first")
    parser.add_argument("--print", action="store_true", help="print the tables without changing the page")
    options = parser.parse_args()
    text = _report(*measure(options.instances or SIZES))
    if options.print:
        print(text)
    else:
        publish("fleet", text)


if __name__ == "__main__":
    main()
