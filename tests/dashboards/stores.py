"""A Prometheus and a VictoriaMetrics that hold three days of calls, and evaluate the generated rules.

The calls are those of `tests.telemetry`, recorded by the real metrics sink and written by the real exporter; between
two scrapes counters grow evenly. Where the history ends an exporter carries it on, which the servers scrape.
"""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import re
import subprocess
import time
import urllib.request
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

from claudescope.pricing.price_book import PriceBook
from tests.alerts.conftest import program
from tests.alerts.stand_ins import Exporter
from tests.dashboards.api import Store
from tests.servers import run_server, wait_for
from tests.telemetry.calls import INSTANCES, batch_results, calls
from tests.telemetry.history import JOB, Span, _Instance
from tests.telemetry.prometheus import _promtool, serve

__all__ = ["History", "prometheus", "victoria_metrics", "write_history"]

STEP = 120
"""Seconds between two samples of the last hours."""

_AHEAD = 420
_FINE, _COARSE = 3 * 3600, 78 * 3600
_SPENT: dict[str, Any] = {"outcome": "error", "error_type": "spend_limit_error", "usage": None, "cost_usd": None}
"""What a call is like that a spend limit refuses: the page that fires at once."""

_LOOKED_AT = tuple(int(hours * 3600) for hours in (23.5, 47.5, 71.5))
"""Seconds before now at which the usual of this hour is looked up."""


@dataclass(frozen=True)
class History:
    """What was written.

    Attributes:
        text: OpenMetrics with timestamps.
        now: When it ends, in Unix seconds.
        rules: Rule files by name.
        samples: Scrapes by series, which go on for some minutes after that.
    """

    text: Path
    now: int
    rules: Mapping[str, str]
    samples: Mapping[str, Sequence[tuple[float, int]]]

    @property
    def usual(self) -> str:
        """The rules whose series of earlier days others look up."""
        found = [
            rule for text in self.rules.values() for group in yaml.safe_load(text)["groups"] for rule in group["rules"]
        ]
        usual = [rule for rule in found if re.fullmatch(r"claude:\w+:1h", rule.get("record", ""))]
        return yaml.safe_dump({"groups": [{"name": "usual", "interval": "1m", "rules": usual}]})

    @property
    def recorded(self) -> set[tuple[str, str]]:
        """Names of all series that rules record, each with the objective that it is of."""
        groups: list[Any] = [group for text in self.rules.values() for group in yaml.safe_load(text)["groups"]]
        rules = [rule for group in groups for rule in group["rules"] if "record" in rule]
        return {(rule["record"], rule.get("labels", {}).get("slo", "")) for rule in rules}

    @property
    def hasty(self) -> Mapping[str, str]:
        """The rules, with the waits of alerts cut to a second."""
        return {
            Path(name).name: re.sub(r"(for|keep_firing_for): \d+[mhd]", r"\1: 1s", text)
            for name, text in self.rules.items()
        }


def _times(now: int) -> list[int]:
    """When samples are written: often in the last hours and where earlier days are looked up, seldom elsewhere."""
    first = now - _FINE - _COARSE + _AHEAD
    times = set(range(first, now - _FINE, 6 * 3600)) | set(range(now - _FINE, now - 5400, 600))
    times |= set(range(now - 5400, now, STEP))
    for before in _LOOKED_AT:
        times |= set(range(now - before - 4500, now - before + 900, 900))
    return sorted(times)


def _at(samples: Sequence[tuple[float, int]], moment: int) -> float | None:
    """The value between the two scrapes around a moment."""
    place = bisect.bisect_left(samples, moment, key=lambda sample: sample[1])
    if place == len(samples) or (place == 0 and samples[0][1] != moment):
        return None
    (after, then) = samples[place]
    if then == moment:
        return after
    (before, earlier) = samples[place - 1]
    return before + (after - before) * (moment - earlier) / (then - earlier)


def write_history(path: Path, rules: Mapping[str, str]) -> History:
    """Write three days of calls of all instances, up to some minutes from now."""
    now = int(time.time())
    span = Span(end=now + _AHEAD, fine=_FINE, step=600, coarse=_COARSE, coarse_step=6 * 3600)
    prices, times = PriceBook(), _times(now)
    kept: dict[str, Sequence[tuple[float, int]]] = {}
    for name in INSTANCES:
        instance = _Instance(name, 0, prices)
        for start, seconds in span.intervals():
            instance.live(start, seconds, span)
            for result in batch_results(instance._random, prices, start, 5):
                instance._sink.batch_result(result)
            if name == INSTANCES[0]:
                for record in itertools.islice(calls(instance._random, prices, name, start, 600, span.end), 5):
                    instance._sink.finished(dataclasses.replace(record, **_SPENT))
            instance.scrape(start + seconds, span)
        for (series, *labels), samples in instance._samples.items():
            pairs = sorted({**dict(labels), "job": JOB, "instance": name}.items())
            kept[series + "{" + ",".join(f'{label}="{value}"' for label, value in pairs) + "}"] = samples
        instance.close()
    with path.open("w", encoding="utf-8") as file:
        for series in sorted(kept):
            known = ((moment, _at(kept[series], moment)) for moment in times)
            file.writelines(f"{series} {value:.12g} {moment}\n" for moment, value in known if value is not None)
        file.write("# EOF\n")
    return History(path, now, rules, kept)


class _Now(dict[str, float]):
    """The values of all series at the moment at which they are read."""

    def __init__(self, history: History) -> None:
        super().__init__()
        self._samples = history.samples

    def items(self) -> Any:
        moment = int(time.time())
        known = ((series, _at(samples, moment)) for series, samples in self._samples.items())
        return [(series, value) for series, value in known if value is not None]


@contextmanager
def _carried_on(history: History) -> Generator[dict[str, Any]]:
    """Serve the history's values of now, and give the configuration that scrapes them."""
    exporter = Exporter()
    exporter.values = _Now(history)
    with exporter.running():
        yield {
            "scrape_configs": [
                {
                    "job_name": "exporter",
                    "honor_labels": True,
                    "scrape_interval": "10s",
                    "static_configs": [{"targets": [exporter.address]}],
                }
            ]
        }


def _windows(now: int) -> Iterator[tuple[int, int]]:
    return ((now - before - 300, now - before + 400) for before in _LOOKED_AT)


def _wait_for_rules(store: Store, history: History, log: Path) -> None:
    """Wait until every rule has recorded something, and alerts of both severities fire."""

    def recorded() -> bool:
        found = store.instant('count by (__name__, slo) ({__name__=~"claude.*:.*"})')
        firing = store.instant('count by (severity) (ALERTS{alertstate="firing", severity!="none"})')
        seen = {(series["metric"]["__name__"], series["metric"].get("slo", "")) for series in found}
        return len(firing) == 2 and history.recorded <= seen

    # Rules on rules: vmalert hands each on an evaluation later.
    wait_for("every rule has recorded something, and a page and a ticket fire", recorded, log, patience=240)


@contextmanager
def prometheus(history: History, folder: Path) -> Generator[Store]:
    """Prometheus with the history, and with the generated rules, which it evaluates every second."""
    data = folder / "data"
    _promtool("openmetrics", "--quiet", history.text, data)
    (folder / "usual.yml").write_text(history.usual, encoding="utf-8")
    with serve(data, folder) as url:
        for start, end in _windows(history.now):
            limits = (f"--url={url}", f"--start={start}", f"--end={end}", f"--output-dir={data}")
            _promtool("rules", *limits, "--eval-interval=60s", folder / "usual.yml")
    rules = folder / "rules"
    rules.mkdir()
    for name, text in history.hasty.items():
        (rules / name).write_text(text, encoding="utf-8")
    command: list[str | Path] = [
        program("sid", "prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={data}",
        "--web.listen-address=127.0.0.1:0",
    ]
    log = folder / "server.log"
    with ExitStack() as running:
        config = running.enter_context(_carried_on(history))
        config |= {"global": {"evaluation_interval": "2s"}, "rule_files": ["rules/*.yml"]}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        url = running.enter_context(run_server(command, log))
        store = Store(url)
        wait_for("Prometheus is ready", store.is_ready, log)
        _wait_for_rules(store, history, log)
        yield store


@contextmanager
def victoria_metrics(history: History, folder: Path) -> Generator[Store]:
    """VictoriaMetrics with the same history, and vmalert with the same rules."""
    log = folder / "victoria.log"
    command: list[str | Path] = [
        program("sid", "victoria-metrics"),
        f"-storageDataPath={folder / 'victoria'}",
        "-httpListenAddr=127.0.0.1:0",
        "-search.latencyOffset=0s",
        "-search.disableCache",
        f"-promscrape.config={folder / 'scrape.yml'}",
    ]
    with ExitStack() as running:
        config = running.enter_context(_carried_on(history))
        (folder / "scrape.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        url = running.enter_context(run_server(command, log))
        store = Store(url)
        wait_for("VictoriaMetrics is ready", store.is_ready, log)
        request = urllib.request.Request(f"{url}/api/v1/import/prometheus", history.text.read_bytes(), method="POST")  # noqa: S310 # ours
        with urllib.request.urlopen(request, timeout=60):  # noqa: S310 # ours
            pass
        store.flush()
        (folder / "usual.yml").write_text(history.usual, encoding="utf-8")
        rules = folder / "vmalert"
        rules.mkdir()
        for name, text in history.hasty.items():
            (rules / name).write_text(text, encoding="utf-8")
        vmalert = program("sid", "vmalert")
        common: list[str | Path] = [
            vmalert,
            f"-datasource.url={url}",
            f"-remoteWrite.url={url}",
            f"-remoteRead.url={url}",
        ]
        usual: list[str | Path] = [
            f"-rule={folder / 'usual.yml'}",
            "-replay.rulesDelay=0",
            "-replay.disableProgressBar",
        ]
        for start, end in _windows(history.now):
            _run([*common, *usual, f"-replay.timeFrom={_written(start)}", f"-replay.timeTo={_written(end)}"])
        store.flush()
        evaluate = [f"-rule={rules}/*.yml", "-evaluationInterval=2s", "-rule.evalDelay=0s", "-notifier.blackhole"]
        alerts = folder / "vmalert.log"
        running.enter_context(run_server([*common, *evaluate, "-httpListenAddr=127.0.0.1:0"], alerts))
        _wait_for_rules(store, history, alerts)
        yield store


def _written(moment: int) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 # ours
    assert done.returncode == 0, done.stderr[-3000:]
