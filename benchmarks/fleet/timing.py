"""Measures panels and rule groups."""

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
"""Seconds above which one round is enough, as the goal is missed."""

_HOPELESS: Final = 1.0
"""Seconds above which a query without recording rules is not repeated with ten times as many instances."""

NOT_ASKED: Final = "not asked"


@dataclass
class Took:
    """Duration of queries or an evaluation.

    Attributes:
        seconds: Seconds of the fastest round.
        problem: Reason why there is no result; empty if there is one.
        more: Whether some queries were skipped, so that the real duration is longer.
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
    """Runs each query once, even if several panels share it."""

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
                # Grafana aligns both ends to full steps.
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
    """Durations with and without recording rules.

    Attributes:
        recorded: Duration with recording rules.
        raw: Duration without. None if no recorded series is used.
    """

    recorded: Took
    raw: Took | None

    @property
    def hopeless(self) -> bool:
        """Whether a measurement of ten times as many instances without recording rules is useless."""
        return self.raw is not None and (self.raw.seconds > _HOPELESS or bool(self.raw.problem))


def panels(
    store: Store,
    recorded: Mapping[str, Any],
    raw: Mapping[str, Any],
    inliner: Inliner,
    before: Mapping[str, Pair],
    now: float,
) -> dict[str, Pair]:
    """Measure all queries of each panel, one after the other, by dashboard, row and title.

    Args:
        store: The server to query.
        recorded: Dashboards on recorded series, by name.
        raw: The same dashboards without the fleet rollup.
        inliner: Replaces the remaining recorded series of `raw`.
        before: Results with a tenth of the instances. Hopeless queries are skipped.
        now: End of the time ranges in Unix seconds.
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
    """Return the alerts of rule files, with recorded series replaced by their raw expressions."""
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
    """Return the fastest evaluation of each group, as reported by Prometheus.

    Args:
        store: The server that evaluates.
        rules: Rule files by name. Only these are evaluated.
        interval: Seconds between evaluations.
        evaluations: Number of evaluations to wait for. There are fewer if they are slow or the samples end.
    """
    store.evaluate(rules, interval)
    begin = datetime.now(timezone.utc)
    wanted = {group["name"] for text in rules.values() for group in yaml.safe_load(text)["groups"]}
    seen: dict[str, dict[str, Took]] = {name: {} for name in wanted}
    # Evaluations after the last sample are empty.
    deadline = min(time.time() + interval * (evaluations + 1), store.end)
    while time.time() < deadline and any(len(found) < evaluations for found in seen.values()):
        time.sleep(min(1.0, interval / 10))
        for group in store.groups():
            # A group with new rules reports its previous evaluation until the next one.
            if group["name"] in seen and _moment(group["lastEvaluation"]) > begin and group["evaluationTime"] > 0:
                errors: Iterable[str] = (rule["lastError"] for rule in group["rules"] if rule.get("lastError"))
                problem = next((_shortened(error) for error in errors), "")
                seen[group["name"]][group["lastEvaluation"]] = Took(group["evaluationTime"], problem)
    return {
        name: min(found.values(), key=lambda took: took.seconds) if found else Took(0, "never ended")
        for name, found in seen.items()
    }
