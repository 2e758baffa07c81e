"""How long panels and rule groups take."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final

import yaml

from benchmarks.fleet.recorded import Inliner
from benchmarks.fleet.remote_write import STEP
from benchmarks.fleet.store import Store
from claudescope_dashboards.lint import panels_of
from claudescope_dashboards.resolve import Resolver
from tests.dashboards.asking import _seconds

__all__ = ["Took", "inlined_rules", "panels", "rule_groups"]

_ROUNDS: Final = 3
_SLOW: Final = 5.0
"""Seconds from which on one round says enough."""

_HOPELESS: Final = 3.0
"""Seconds from which on nothing is asked of ten times as many instances: Grafana waits for 30."""


@dataclass
class Took:
    """How long something took.

    Attributes:
        seconds: In the fastest of some rounds.
        problem: Why there is no answer, or nothing was asked.
    """

    seconds: float = 0.0
    problem: str = ""

    def __add__(self, other: Took) -> Took:
        return Took(self.seconds + other.seconds, self.problem or other.problem)


def _shortened(problem: str) -> str:
    for pattern, said in ((r"too many samples", "refused"), (r"timed out|timeout|canceled", "over 30 s")):
        if re.search(pattern, problem):
            return said
    return problem


@dataclass
class _Asker:
    """Asks each query once, however many panels share it."""

    store: Store
    now: float
    known: dict[tuple[str, bool, int], Took] = field(default_factory=dict[tuple[str, bool, int], Took])

    def ask(self, expr: str, instant: bool, resolver: Resolver) -> Took:
        key = (expr, instant, resolver.seconds)
        if key not in self.known:
            self.known[key] = self._asked(expr, instant, resolver)
        return self.known[key]

    def _asked(self, expr: str, instant: bool, resolver: Resolver) -> Took:
        query = resolver.resolve(expr)
        best = float("inf")
        for _ in range(_ROUNDS):
            if instant:
                took, answer = self.store.ask("query", query=query, time=self.now)
            else:
                # As Grafana does: both ends at full steps.
                end = self.now // resolver.step * resolver.step
                start, step = end - resolver.seconds, resolver.step
                took, answer = self.store.ask("query_range", query=query, start=start, end=end, step=step)
            if isinstance(answer, str):
                return Took(took, _shortened(answer))
            best = min(best, took)
            if best > _SLOW:
                break
        return Took(best)


def panels(
    store: Store,
    boards: Mapping[str, Mapping[str, Any]],
    inliner: Inliner,
    before: Mapping[str, tuple[Took, Took | None]],
    now: float,
) -> dict[str, tuple[Took, Took | None]]:
    """How long each panel takes, by board and title: as it is, and, if it reads recorded series, without them.

    Args:
        store: Who answers.
        boards: The boards by name.
        inliner: Writes what there would be without recording rules.
        before: What it took with a tenth of the instances: what was hopeless then is not asked.
        now: The end of the boards' time ranges, in Unix seconds.
    """
    asker, found = _Asker(store, now), dict[str, tuple[Took, Took | None]]()
    for name, board in boards.items():
        resolver, band = Resolver(seconds=_seconds(board), scrape=STEP), ""
        for part in board["panels"]:
            band = part["title"] if part["type"] == "row" else band
            if part not in panels_of(board) or not part["targets"]:
                continue
            title = f"{name}: {band + ': ' if band else ''}{part['title']}"
            with_, without = Took(), Took()
            tried = before.get(title)
            hopeless = tried is not None and tried[1] is not None and (tried[1].seconds > _HOPELESS or tried[1].problem)
            recorded = False
            for target in part["targets"]:
                instant = bool(target.get("instant"))
                with_ += asker.ask(target["expr"], instant, resolver)
                recorded |= inliner.reads_recorded(target["expr"])
                if not hopeless and not without.problem:
                    without += asker.ask(inliner.inline(target["expr"]), instant, resolver)
            if hopeless and tried is not None:
                without = Took(0, "not asked")
            found[title] = (with_, without if recorded else None)
    return found


def inlined_rules(rules: Mapping[str, str], inliner: Inliner) -> dict[str, str]:
    """The alerts of rule files without recording rules: what they read is computed in place."""
    files: dict[str, str] = {}
    for name, text in rules.items():
        groups: list[Any] = yaml.safe_load(text)["groups"]
        for group in groups:
            group["rules"] = [
                {**rule, "expr": inliner.inline(rule["expr"])} for rule in group["rules"] if "alert" in rule
            ]
        files[name] = yaml.safe_dump({"groups": groups}, width=float("inf"))
    return files


def _moment(written: str) -> datetime:
    return datetime.strptime(written[:19] + "+0000", "%Y-%m-%dT%H:%M:%S%z")


def rule_groups(store: Store, rules: Mapping[str, str], interval: int, evaluations: int = 3) -> dict[str, Took]:
    """Seconds of each group's fastest evaluation of a few, as Prometheus itself says.

    Args:
        store: Who evaluates.
        rules: Rule files by name; these and no others are evaluated.
        interval: Seconds between evaluations.
        evaluations: How many to wait for; less where they take longer than the interval.
    """
    store.evaluate(rules, interval)
    begin = datetime.now(timezone.utc)
    wanted = {group["name"] for text in rules.values() for group in yaml.safe_load(text)["groups"]}
    seen: dict[str, dict[str, Took]] = {name: {} for name in wanted}
    deadline = time.monotonic() + interval * (evaluations + 1)
    while time.monotonic() < deadline and any(len(found) < evaluations for found in seen.values()):
        time.sleep(min(1.0, interval / 10))
        for group in store.groups():
            # A group that was there before, with other rules, keeps its last evaluation until its next.
            if group["name"] in seen and _moment(group["lastEvaluation"]) > begin and group["evaluationTime"] > 0:
                errors: Iterable[str] = (rule["lastError"] for rule in group["rules"] if rule.get("lastError"))
                problem = next((_shortened(error) for error in errors), "")
                seen[group["name"]][group["lastEvaluation"]] = Took(group["evaluationTime"], problem)
    return {
        name: min(found.values(), key=lambda took: took.seconds) if found else Took(0, "never ended")
        for name, found in seen.items()
    }
