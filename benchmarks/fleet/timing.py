"""How long panels and rule groups take."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final

import yaml
from tests.dashboards.panel_queries import seconds_of

from benchmarks.fleet.recorded import Inliner
from benchmarks.fleet.remote_write import STEP
from benchmarks.fleet.store import Store
from claudescope_dashboards.interpolation import Resolver

__all__ = ["NOT_ASKED", "Pair", "Took", "inlined_rules", "panels", "rule_groups"]

_ROUNDS: Final = 3
_SLOW: Final = 1.0
"""Seconds from which on one round says enough: it is over the goal."""

_HOPELESS: Final = 1.0
"""Seconds from which on what has no recording rules is not asked of ten times as many instances."""

NOT_ASKED: Final = "not asked"


@dataclass
class Took:
    """How long something took.

    Attributes:
        seconds: In the fastest of some rounds.
        problem: Why there is no answer, or nothing was asked.
        more: Whether it would have taken longer: the rest was not asked.
    """

    seconds: float = 0.0
    problem: str = ""
    more: bool = False

    def __add__(self, other: Took) -> Took:
        return Took(self.seconds + other.seconds, self.problem or other.problem, self.more or other.more)


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


@dataclass(frozen=True)
class Pair:
    """The same with our recording rules and without.

    Attributes:
        recorded: With them.
        raw: Without; None where nothing is recorded for it.
    """

    recorded: Took
    raw: Took | None

    @property
    def hopeless(self) -> bool:
        """Whether ten times as many instances are too many without recording rules."""
        return self.raw is not None and (self.raw.seconds > _HOPELESS or bool(self.raw.problem))


def panels(
    store: Store,
    recorded: Mapping[str, Any],
    raw: Mapping[str, Any],
    inliner: Inliner,
    before: Mapping[str, Pair],
    now: float,
) -> dict[str, Pair]:
    """How long each panel takes, all of its queries one after the other, by board, row and title.

    Args:
        store: Who answers.
        recorded: Boards that read what rules record, by name.
        raw: The same boards without what is recorded across instances.
        inliner: Puts raw expressions in the place of recorded series that are left in those.
        before: What it took with a tenth of the instances: what was hopeless then is not asked.
        now: The end of the boards' time ranges, in Unix seconds.
    """
    asker, found = _Asker(store, now), dict[str, Pair]()
    for name, dashboard in recorded.items():
        resolver, row = Resolver(seconds=seconds_of(dashboard), scrape=STEP), ""
        for part, other in zip(dashboard["panels"], raw[name]["panels"], strict=True):
            if part["type"] == "row":
                row = part["title"] + ": "
                continue
            title = f"{name}: {row}{part['title']}"
            pairs = [
                (target["expr"], inliner.inline(without["expr"]), bool(target.get("instant")))
                for target, without in zip(part["targets"], other["targets"], strict=True)
            ]
            with_, without = Took(), Took()
            for expr, _, instant in pairs:
                with_ += asker.ask(expr, instant, resolver)
            if title in before and before[title].hopeless:
                without = Took(0, NOT_ASKED)
            for _, inlined, instant in pairs:
                if without.problem or without.seconds > _SLOW:
                    without.more = True
                    break
                without += asker.ask(inlined, instant, resolver)
            found[title] = Pair(with_, None if all(expr == inlined for expr, inlined, _ in pairs) else without)
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
        evaluations: How many to wait for; less where they take longer than the interval, or samples end.
    """
    store.evaluate(rules, interval)
    begin = datetime.now(timezone.utc)
    wanted = {group["name"] for text in rules.values() for group in yaml.safe_load(text)["groups"]}
    seen: dict[str, dict[str, Took]] = {name: {} for name in wanted}
    # What is evaluated after the last sample costs nothing, and says nothing.
    deadline = min(time.time() + interval * (evaluations + 1), store.end)
    while time.time() < deadline and any(len(found) < evaluations for found in seen.values()):
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
