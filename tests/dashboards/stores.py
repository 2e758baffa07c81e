"""Runs Prometheus and VictoriaMetrics with three days of calls, and with the generated rules.

The calls come from `tests.telemetry`, through the real metrics sink and the real exporter. Values between two scrapes
are interpolated. The servers scrape an exporter that continues the history.
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
"""A call that a spend limit rejects: its page fires at once."""

_BASELINE_TIMES = tuple(int(hours * 3600) for hours in (23.5, 47.5, 71.5))
"""Seconds before now at which the baseline rules look up this hour."""


@dataclass(frozen=True)
class History:
    """A history of calls.

    Attributes:
        text: Path of OpenMetrics text with timestamps.
        now: End of the history in Unix seconds.
        rules: Rule files by name.
        samples: Scrapes by series. They continue for some minutes after `now`.
    """

    text: Path
    now: int
    rules: Mapping[str, str]
    samples: Mapping[str, Sequence[tuple[float, int]]]

    @property
    def baseline(self) -> str:
        """The rules whose series of earlier days the baseline rules look up."""
        found = [
            rule for text in self.rules.values() for group in yaml.safe_load(text)["groups"] for rule in group["rules"]
        ]
        baseline = [rule for rule in found if re.fullmatch(r"claude:\w+:1h", rule.get("record", ""))]
        return yaml.safe_dump({"groups": [{"name": "baseline", "interval": "1m", "rules": baseline}]})

    @property
    def recorded(self) -> set[tuple[str, str]]:
        """Names of all series that rules record, each with its objective."""
        groups: list[Any] = [group for text in self.rules.values() for group in yaml.safe_load(text)["groups"]]
        rules = [rule for group in groups for rule in group["rules"] if "record" in rule]
        return {(rule["record"], rule.get("labels", {}).get("slo", "")) for rule in rules}

    @property
    def without_waits(self) -> Mapping[str, str]:
        """The rules, with `for` and `keep_firing_for` of alerts set to a second."""
        return {
            Path(name).name: re.sub(r"(for|keep_firing_for): \d+[mhd]", r"\1: 1s", text)
            for name, text in self.rules.items()
        }


def _times(now: int) -> list[int]:
    """Times of samples: dense in the last hours and around the baseline times, sparse elsewhere."""
    first = now - _FINE - _COARSE + _AHEAD
    times = set(range(first, now - _FINE, 6 * 3600)) | set(range(now - _FINE, now - 5400, 600))
    times |= set(range(now - 5400, now, STEP))
    for before in _BASELINE_TIMES:
        times |= set(range(now - before - 4500, now - before + 900, 900))
    return sorted(times)


def _at(samples: Sequence[tuple[float, int]], moment: int) -> float | None:
    """Interpolate the value between the two scrapes around a moment."""
    place = bisect.bisect_left(samples, moment, key=lambda sample: sample[1])
    if place == len(samples) or (place == 0 and samples[0][1] != moment):
        return None
    (after, then) = samples[place]
    if then == moment:
        return after
    (before, earlier) = samples[place - 1]
    return before + (after - before) * (moment - earlier) / (then - earlier)


def write_history(path: Path, rules: Mapping[str, str]) -> History:
    """Write three days of calls of all instances that end now."""
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
    """The current values of all series at the time of each read."""

    def __init__(self, history: History) -> None:
        super().__init__()
        self._samples = history.samples

    def items(self) -> Any:
        moment = int(time.time())
        known = ((series, _at(samples, moment)) for series, samples in self._samples.items())
        return [(series, value) for series, value in known if value is not None]


@contextmanager
def _continued(history: History) -> Generator[dict[str, Any]]:
    """Serve the current values of the history, and yield a configuration that scrapes them."""
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
    return ((now - before - 300, now - before + 400) for before in _BASELINE_TIMES)


def _wait_for_rules(store: Store, history: History, log: Path) -> None:
    """Wait until every rule has recorded a sample, and alerts of both severities fire."""

    def recorded() -> bool:
        found = store.instant('count by (__name__, slo) ({__name__=~"claude.*:.*"})')
        firing = store.instant('count by (severity) (ALERTS{alertstate="firing", severity!="none"})')
        seen = {(series["metric"]["__name__"], series["metric"].get("slo", "")) for series in found}
        return len(firing) == 2 and history.recorded <= seen

    # vmalert needs one more evaluation for each level of rules on rules.
    wait_for("every rule has recorded a sample, and a page and a ticket fire", recorded, log, patience=240)


@contextmanager
def prometheus(history: History, folder: Path) -> Generator[Store]:
    """Run Prometheus with the history and the generated rules, which it evaluates every two seconds."""
    data = folder / "data"
    _promtool("openmetrics", "--quiet", history.text, data)
    (folder / "baseline.yml").write_text(history.baseline, encoding="utf-8")
    with serve(data, folder) as url:
        for start, end in _windows(history.now):
            limits = (f"--url={url}", f"--start={start}", f"--end={end}", f"--output-dir={data}")
            _promtool("rules", *limits, "--eval-interval=60s", folder / "baseline.yml")
    rules = folder / "rules"
    rules.mkdir()
    for name, text in history.without_waits.items():
        (rules / name).write_text(text, encoding="utf-8")
    command: list[str | Path] = [
        program("sid", "prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={data}",
        "--web.listen-address=127.0.0.1:0",
    ]
    log = folder / "server.log"
    with ExitStack() as running:
        config = running.enter_context(_continued(history))
        config |= {"global": {"evaluation_interval": "2s"}, "rule_files": ["rules/*.yml"]}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        url = running.enter_context(run_server(command, log))
        store = Store(url)
        wait_for("Prometheus is ready", store.is_ready, log)
        _wait_for_rules(store, history, log)
        yield store


@contextmanager
def victoria_metrics(history: History, folder: Path) -> Generator[Store]:
    """Run VictoriaMetrics with the same history, and vmalert with the same rules."""
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
        config = running.enter_context(_continued(history))
        (folder / "scrape.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        url = running.enter_context(run_server(command, log))
        store = Store(url)
        wait_for("VictoriaMetrics is ready", store.is_ready, log)
        request = urllib.request.Request(f"{url}/api/v1/import/prometheus", history.text.read_bytes(), method="POST")  # noqa: S310 # loopback
        with urllib.request.urlopen(request, timeout=60):  # noqa: S310 # loopback
            pass
        store.flush()
        (folder / "baseline.yml").write_text(history.baseline, encoding="utf-8")
        rules = folder / "vmalert"
        rules.mkdir()
        for name, text in history.without_waits.items():
            (rules / name).write_text(text, encoding="utf-8")
        vmalert = program("sid", "vmalert")
        common: list[str | Path] = [
            vmalert,
            f"-datasource.url={url}",
            f"-remoteWrite.url={url}",
            f"-remoteRead.url={url}",
        ]
        replay: list[str | Path] = [
            f"-rule={folder / 'baseline.yml'}",
            "-replay.rulesDelay=0",
            "-replay.disableProgressBar",
        ]
        for start, end in _windows(history.now):
            _run([*common, *replay, f"-replay.timeFrom={_written(start)}", f"-replay.timeTo={_written(end)}"])
        store.flush()
        evaluate = [f"-rule={rules}/*.yml", "-evaluationInterval=2s", "-rule.evalDelay=0s", "-notifier.blackhole"]
        alerts = folder / "vmalert.log"
        running.enter_context(run_server([*common, *evaluate, "-httpListenAddr=127.0.0.1:0"], alerts))
        _wait_for_rules(store, history, alerts)
        yield store


def _written(moment: int) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 # fixed command
    assert done.returncode == 0, done.stderr[-3000:]
