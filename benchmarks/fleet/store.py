"""Runs a Prometheus with a day of data of a fleet, up to a few minutes from now."""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.request
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import yaml
from tests.servers import wait_for
from tests.telemetry.prometheus import _promtool, serve

from benchmarks.fleet.app import DAY, Series
from benchmarks.fleet.recorded import Recorded, past_of
from benchmarks.fleet.remote_write import STEP, send

__all__ = ["Shapes", "Store", "fleet", "of_each", "shapes_of"]

_AHEAD: Final = 510
"""Seconds from now up to which samples are written. The receiver accepts at most ten minutes."""

_OPTIONS: Final = (
    "--web.enable-remote-write-receiver",
    "--web.enable-lifecycle",
    "--query.timeout=30s",
    # Blocks of two hours are not merged while queries are timed.
    "--storage.tsdb.max-block-duration=2h",
    "--no-storage.tsdb.allow-overlapping-compaction",
)

Shapes = Sequence[tuple[Mapping[str, str], float]]
"""Labels of recorded series, including `__name__`, and one value of each."""


@dataclass(frozen=True)
class Store:
    """A running Prometheus.

    Attributes:
        url: Base URL.
        folder: Folder of its configuration.
        end: Time of the last sample in Unix seconds.
        samples: Number of samples that were written.
        seconds: Seconds that the writing took.
    """

    url: str
    folder: Path
    end: int
    samples: int
    seconds: float

    def ask(self, path: str, **values: object) -> tuple[float, Any]:
        """Run a query.

        Returns:
            Seconds until the response was complete, and its `data`, or the text of the error.
        """
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=120)
        body = urlencode({key: str(value) for key, value in values.items()})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        started = time.perf_counter()
        try:
            connection.request("POST", f"/api/v1/{path}", body, headers)
            text = connection.getresponse().read()
        finally:
            connection.close()
        took = time.perf_counter() - started
        answer = json.loads(text)
        return took, answer["data"] if answer["status"] == "success" else str(answer["error"])

    def groups(self) -> list[Any]:
        """Return the rule groups with the duration of their last evaluation."""
        with urllib.request.urlopen(f"{self.url}/api/v1/rules", timeout=60) as answer:  # noqa: S310 # loopback
            groups: list[Any] = json.load(answer)["data"]["groups"]
        return groups

    def evaluate(self, rules: Mapping[str, str], interval: int) -> None:
        """Replace the rule files, and evaluate all of their groups at an interval in seconds."""
        for old in self.folder.glob("rules-*.yml"):
            old.unlink()
        for name, text in rules.items():
            groups = [{**group, "interval": f"{interval}s"} for group in yaml.safe_load(text)["groups"]]
            document = yaml.safe_dump({"groups": groups}, width=float("inf"))
            (self.folder / f"rules-{name}.yml").write_text(document, encoding="utf-8")
        config = {"global": {"evaluation_interval": f"{interval}s"}, "rule_files": ["rules-*.yml"]}
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        request = urllib.request.Request(f"{self.url}/-/reload", method="POST")  # noqa: S310 # loopback
        with urllib.request.urlopen(request, timeout=120):  # noqa: S310 # loopback
            pass

    def value(self, name: str) -> float:
        """Return the value of one of Prometheus' own metrics."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=60) as answer:  # noqa: S310 # loopback
            found = re.search(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE)
        if found is None:
            raise ValueError(f"Prometheus has no metric {name}")
        return float(found[1])


def _fill(url: str, series: Sequence[Series], past: Sequence[Series], instances: int) -> tuple[int, int]:
    """Write a day of all instances, hour by hour, up to a few minutes from now, and a day of past series."""
    begin = int(time.time()) // STEP * STEP
    start = begin - DAY
    at, samples = start, 0
    while at < time.time() + _AHEAD - STEP:
        end = min(at + 3600, int(time.time() + _AHEAD) // STEP * STEP)
        written = [one for one in series if at >= begin - one.kept]
        samples += send(url, [*written, *(past if end <= begin else ())], instances, start, at, end)
        at = end
    return samples, at


def of_each(shapes: Shapes, recordings: Iterable[Recorded]) -> list[Series]:
    """Return the series that are recorded per instance, as those of one instance."""
    every = {rule.name: rule.every for rule in recordings}
    return [
        Series(
            labels["__name__"],
            tuple((name, text) for name, text in labels.items() if name not in {"__name__", "instance", "job"}),
            value,
            gauge=True,
            whole=False,
            kept=DAY,
            group=0,
            every=every[labels["__name__"]],
        )
        for labels, value in shapes
        if "instance" in labels
    ]


def _settled(store: Store) -> bool:
    """Return whether all samples except those of the last hours are in blocks."""
    head = "prometheus_tsdb_head_{}_time_seconds"
    return store.value(head.format("max")) - store.value(head.format("min")) <= 3 * 3600 + _AHEAD


@contextmanager
def fleet(
    series: Sequence[Series],
    instances: int,
    past: Shapes,
    each: Sequence[Series],
    spans: Mapping[str, int],
    folder: Path,
) -> Generator[Store]:
    """Run a Prometheus with a day of a number of instances, and the past of recorded series.

    Args:
        series: Series of one instance.
        instances: Number of instances.
        past: Recorded series of a fleet of one instance.
        each: Those of them that are recorded per instance.
        spans: Length of each in seconds, by name.
        folder: An empty folder.
    """
    data, blocks = folder / "data", folder / "blocks"
    data.mkdir()
    now = int(time.time()) // STEP * STEP
    past = [shape for shape in past if "instance" not in shape[0]]
    if past:
        text = folder / "past.txt"
        with text.open("w", encoding="utf-8") as file:
            file.writelines(past_of(past, spans, now))
        _promtool("openmetrics", "--quiet", text, blocks)
        text.unlink()
    with serve(data, folder, options=_OPTIONS) as url:
        # Moved after the start, as Prometheus accepts no sample older than the blocks that it starts with.
        for block in blocks.iterdir() if past else ():
            block.rename(data / block.name)
        started = time.perf_counter()
        samples, end = _fill(url, series, each, instances)
        store = Store(url, folder, end, samples, time.perf_counter() - started)
        wait_for("old samples are in blocks", lambda: _settled(store), folder / "prometheus.log", patience=600)
        if past:
            name = past[0][0]["__name__"]
            wait_for(
                "the past of recorded series is loaded",
                lambda: bool(store.ask("query", query=name, time=now - 3600)[1]["result"]),
                folder / "prometheus.log",
                patience=120,
            )
        yield store


def shapes_of(
    series: Sequence[Series], rules: Mapping[str, str], recordings: Iterable[Recorded], folder: Path
) -> Shapes:
    """Return the series that the rules record for a single instance, evaluated by a Prometheus.

    The number of series without the label `instance` does not grow with the fleet. A baseline needs days of history, so
    it gets the labels of the series that it is computed from.
    """
    with fleet(series, 1, (), (), {}, folder) as store:
        store.evaluate(rules, 2)

        def evaluated() -> bool:
            groups = store.groups()
            return len(groups) == len(rules) and all(
                rule["evaluationTime"] > 0 and rule["health"] == "ok" for group in groups for rule in group["rules"]
            )

        wait_for("every rule was evaluated", evaluated, folder / "prometheus.log")
        time.sleep(5)  # until groups have seen the series of other groups
        _, answer = store.ask("query", query='{__name__=~"claude.*:.*"}')
    shapes = [(dict(one["metric"]), float(one["value"][1])) for one in answer["result"]]
    for rule in recordings:
        own = rule.labels.items()
        if not any(labels["__name__"] == rule.name and own <= labels.items() for labels, _ in shapes):
            # Things that the app never does, such as batches, have no series.
            of = next((labels["__name__"] for labels, _ in shapes if labels["__name__"] in rule.expr), "")
            shapes += [
                ({**labels, "__name__": rule.name}, value)
                for labels, value in shapes
                if labels["__name__"] == of and own <= labels.items()
            ]
    return shapes
