"""Every way of metrics from an app to a backend, with real servers at once, from calls to panels and rules.

    python -m tests.ways_in.backend_ways    # writes docs/backends.json and docs/backends.md

Two apps make calls: one as `configure()` sends by default, one with explicit buckets, which is scraped too. What they
send over OTLP goes to every server that is of this app.
"""

from __future__ import annotations

import json
import math
import os
import re
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from claudescope.schema.catalogue import CALLS, DURATION, OUTCOME, REQUEST_MODEL
from claudescope_alerts.backend import check_backend
from claudescope_alerts.build import build
from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.spec.model import Histograms, Naming, Spec, load_spec
from claudescope_dashboards.build import dashboards_of
from claudescope_dashboards.lint import panels_of
from tests.components import require
from tests.dashboards.api import Store
from tests.dashboards.panel_queries import empty_panels
from tests.servers import run_server, serving, wait_for
from tests.ways_in.backend_table import MARKDOWN, RESULTS, Result, render

__all__ = ["WAYS", "Way", "results"]

_APP: Final = Path(__file__).with_name("apps") / "calls.py"
_SECONDS: Final = 45
_EVALUATION: Final = "3s"

_NEVER_HAPPENED: Final = re.compile(
    r".*: (Firing alerts: [AB]|annotation: Firing (pages|tickets))"  # alerts wait for longer than the test runs
    r"|.* vs\. baseline: B|.*: Change since yesterday: .|claude:\w+:baseline"  # needs days of history
    r"|.*: (Server tool uses|Batch results|Internal errors by component|Dropped Sentry events): A"
)
"""Panels and recorded series of what does not happen within a minute of calls."""

App = Literal["default", "explicit"]
"""As `configure()` sends by default, or with explicit buckets."""

Server = Callable[["Way", Path, str], Generator[tuple[Store, str]]]
"""Runs a way's server in a folder, with the address of the app's endpoint. Gives it, and the URL that takes OTLP; the
latter is empty where the server scrapes."""


@dataclass(frozen=True, eq=False)
class Way:
    """A way from an app to a backend.

    Attributes:
        name: What the way is, as the documentation says it.
        app: The app that sends.
        naming: The `naming` of the spec that fits.
        forms: The values of `histograms` of the spec that fit.
        options: Options of Prometheus: of its scrape, or of its section `otlp`.
        namespace: The `namespace` of the spec.
        collector: The exporter of the Collector in between; empty for none.
        flags: Flags of VictoriaMetrics; None for Prometheus.
    """

    name: str
    app: App
    naming: Naming
    forms: tuple[Histograms, ...]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    namespace: str = ""
    collector: Literal["", "prometheus", "prometheusremotewrite"] = ""
    flags: tuple[str, ...] | None = None

    @property
    def scraped(self) -> bool:
        """Whether the backend scrapes the app."""
        return self.name.startswith("scrape")

    @property
    def spec(self) -> Spec:
        """The default spec, with the naming of the way."""
        changed = {"naming": self.naming, "namespace": self.namespace}
        return Spec.model_validate({**load_spec().model_dump(by_alias=True), **changed})


_CLASSIC: Final = ("auto", "classic")
_NATIVE: Final = ("auto", "native")

WAYS: Final[tuple[Way, ...]] = (
    Way("scrape", "explicit", "prometheus", _CLASSIC),
    Way(
        "scrape, `convert_classic_histograms_to_nhcb: true`",
        "explicit",
        "prometheus",
        _NATIVE,
        {"convert_classic_histograms_to_nhcb": True},
    ),
    Way(
        "OTLP to Prometheus, `translation_strategy: UnderscoreEscapingWithSuffixes` (default)",
        "default",
        "prometheus",
        _NATIVE,
        {"translation_strategy": "UnderscoreEscapingWithSuffixes"},
    ),
    Way(
        "OTLP to Prometheus, `translation_strategy: UnderscoreEscapingWithoutSuffixes`",
        "default",
        "without-suffixes",
        _NATIVE,
        {"translation_strategy": "UnderscoreEscapingWithoutSuffixes"},
    ),
    Way(
        "OTLP to Prometheus, `translation_strategy: NoUTF8EscapingWithSuffixes`",
        "default",
        "utf8",
        _NATIVE,
        {"translation_strategy": "NoUTF8EscapingWithSuffixes"},
    ),
    Way(
        "OTLP to Prometheus, `translation_strategy: NoTranslation`",
        "default",
        "victoriametrics",
        _NATIVE,
        {"translation_strategy": "NoTranslation"},
    ),
    Way("OTLP to Prometheus, explicit buckets in the app", "explicit", "prometheus", _CLASSIC),
    Way(
        "OTLP to Prometheus, explicit buckets in the app, `convert_histograms_to_nhcb: true`",
        "explicit",
        "prometheus",
        _NATIVE,
        {"convert_histograms_to_nhcb": True},
    ),
    Way(
        "OTLP through a Collector, `prometheus` exporter, explicit buckets in the app",
        "explicit",
        "prometheus",
        _CLASSIC,
        collector="prometheus",
    ),
    Way(
        "OTLP through a Collector, `prometheusremotewrite` exporter with `namespace: acme`",
        "default",
        "prometheus",
        _NATIVE,
        namespace="acme",
        collector="prometheusremotewrite",
    ),
    Way(
        "OTLP to VictoriaMetrics, explicit buckets in the app, `-opentelemetry.usePrometheusNaming`",
        "explicit",
        "prometheus",
        _CLASSIC,
        flags=("-opentelemetry.usePrometheusNaming",),
    ),
    Way(
        "OTLP to VictoriaMetrics, explicit buckets in the app",
        "explicit",
        "victoriametrics",
        _CLASSIC,
        flags=(),
    ),
)
"""All ways that are documented."""


def _write_rules(way: Way, folder: Path) -> None:
    rules = folder / "rules"
    rules.mkdir()
    for name, text in build(way.spec).items():
        if name.startswith("rules/"):
            (rules / Path(name).name).write_text(text, encoding="utf-8")


def _scrape(target: str, **options: Any) -> dict[str, Any]:
    targets = [{"targets": [target]}]
    return {"job_name": "assistant", "scrape_interval": "1s", "static_configs": targets, **options}


@contextmanager
def _prometheus(way: Way, folder: Path, config: Mapping[str, Any]) -> Generator[Store]:
    """Run Prometheus with the way's rules."""
    config = {
        "global": {"evaluation_interval": _EVALUATION},
        "rule_files": ["rules/*.yml"],
        "storage": {"tsdb": {"out_of_order_time_window": "10m"}},
        **config,
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command: list[str | Path] = [
        require("go", "prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=30d",
        "--web.listen-address=127.0.0.1:0",
        "--web.enable-otlp-receiver",
        "--web.enable-remote-write-receiver",
    ]
    with run_server(command, folder / "server.log") as url:
        store = Store(url)
        wait_for("Prometheus is ready", store.is_ready, folder / "server.log")
        yield store


@contextmanager
def _victoria_metrics(way: Way, folder: Path) -> Generator[Store]:
    """Run VictoriaMetrics, and vmalert with the way's rules."""
    command: list[str | Path] = [
        require("sid", "victoria-metrics"),
        f"-storageDataPath={folder / 'data'}",
        "-httpListenAddr=127.0.0.1:0",
        "-search.latencyOffset=0s",
        *(way.flags or ()),
    ]
    with run_server(command, folder / "server.log") as url:
        store = Store(url)
        wait_for("VictoriaMetrics is ready", store.is_ready, folder / "server.log")
        vmalert: list[str | Path] = [
            require("sid", "vmalert"),
            f"-rule={folder / 'rules'}/*.yml",
            *(f"-{what}.url={url}" for what in ("datasource", "remoteWrite", "remoteRead")),
            f"-evaluationInterval={_EVALUATION}",
            "-rule.evalDelay=0s",
            "-notifier.blackhole",
            "-httpListenAddr=127.0.0.1:0",
        ]
        with run_server(vmalert, folder / "vmalert.log"):
            yield store


@contextmanager
def _collector(way: Way, folder: Path, exporter: Mapping[str, Any]) -> Generator[str]:
    """Run a Collector that takes OTLP, and give the URL for metrics."""
    # It listens on the exporter's port too: `run_server` would not know which is which.
    endpoint = _free_port()
    config = {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": endpoint}}}},
        "exporters": {way.collector: exporter},
        "service": {
            "pipelines": {"metrics": {"receivers": ["otlp"], "exporters": [way.collector]}},
            "telemetry": {"metrics": {"level": "none"}},
        },
    }
    path = folder / "collector.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    command: list[str | Path] = [require("go", "otelcol"), f"--config={path}"]
    with run_server(command, folder / "collector.log"):
        wait_for("the Collector takes OTLP", lambda: _takes_connections(endpoint), folder / "collector.log")
        yield f"http://{endpoint}/v1/metrics"


@contextmanager
def _running(way: Way, folder: Path, scrape: str) -> Generator[tuple[Store, str]]:
    """Run the servers of a way; give its backend, and the URL that takes OTLP, empty where the app is scraped."""
    _write_rules(way, folder)
    with ExitStack() as stack:
        if way.flags is not None:
            store = stack.enter_context(_victoria_metrics(way, folder))
            yield store, f"{store.url}/opentelemetry/v1/metrics"
        elif way.collector == "prometheus":
            exposed = _free_port()
            otlp = stack.enter_context(
                _collector(way, folder, {"endpoint": exposed, "resource_to_telemetry_conversion": {"enabled": False}})
            )
            config = {"scrape_configs": [_scrape(exposed, honor_labels=True)]}
            yield stack.enter_context(_prometheus(way, folder, config)), otlp
        elif way.collector:
            store = stack.enter_context(_prometheus(way, folder, {}))
            written = {"endpoint": f"{store.url}/api/v1/write", "namespace": way.namespace}
            yield store, stack.enter_context(_collector(way, folder, written))
        elif way.scraped:
            config = {"scrape_configs": [_scrape(scrape, **way.options)]}
            yield stack.enter_context(_prometheus(way, folder, config)), ""
        else:
            store = stack.enter_context(_prometheus(way, folder, {"otlp": dict(way.options)}))
            yield store, f"{store.url}/api/v1/otlp/v1/metrics"


def _free_port() -> str:
    """An address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def _takes_connections(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), 1):
            return True
    except OSError:
        return False


@contextmanager
def _copies(urls: list[str]) -> Generator[str]:
    """Take OTLP, and send it on to every URL in the list."""

    def send(body: bytes, headers: dict[str, str]) -> None:
        for url in urls:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers, method="POST"), timeout=60):  # noqa: S310 # loopback
                pass

    async def take(request: Request) -> Response:
        headers = {
            name: request.headers[name] for name in ("content-type", "content-encoding") if name in request.headers
        }
        await run_in_threadpool(send, await request.body(), headers)
        return Response(b"", media_type="application/x-protobuf")

    with serving(Route("/v1/metrics", take, methods=["POST"])) as url:
        yield f"{url}/v1/metrics"


@contextmanager
def _app(otlp: str, app: App, scrape: str) -> Generator[subprocess.Popen[str]]:
    environment = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": otlp,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        "OTEL_METRIC_EXPORT_TIMEOUT": "60000",
        "OTEL_SERVICE_NAME": "assistant",
    }
    if app == "explicit":
        environment["OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"] = "explicit_bucket_histogram"
        environment["CLAUDESCOPE_METRICS_PORT"] = scrape.rpartition(":")[2]
    command = [sys.executable, str(_APP), str(_SECONDS)]
    with subprocess.Popen(  # noqa: S603 # ours
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def results(folder: Path, ways: Sequence[Way] = WAYS) -> dict[str, Result]:
    """Run all ways, and say for each what arrived.

    Args:
        folder: A folder for the servers.
        ways: The ways to run.
    """
    scrape = _free_port()
    apps: dict[App, None] = dict.fromkeys(way.app for way in ways)
    with ExitStack() as stack:
        stores: dict[Way, Store] = {}
        targets: dict[App, list[str]] = {app: [] for app in apps}
        for number, way in enumerate(ways):
            home = folder / str(number)
            home.mkdir()
            stores[way], otlp = stack.enter_context(_running(way, home, scrape))
            targets[way.app] += [otlp] if otlp else []
        started: dict[App, subprocess.Popen[str]] = {
            app: stack.enter_context(_app(stack.enter_context(_copies(targets[app])), app, scrape)) for app in apps
        }
        truths: dict[App, Any] = {}
        for app, process in started.items():
            assert process.stdout is not None
            truths[app] = json.loads(process.stdout.readline())
        return {way.name: _result(way, stores[way], truths[way.app]) for way in ways}


def _result(way: Way, store: Store, truth: Mapping[str, Any]) -> Result:
    selectors = SelectorBuilder(way.spec)
    outcomes = truth["report"]["outcomes"]

    def counted() -> dict[str, float]:
        found = store.instant(f"sum by {selectors.by(OUTCOME)} ({selectors.select(CALLS)})")
        return {each["metric"][selectors.label(OUTCOME)]: float(each["value"][1]) for each in found}

    wait_for(f"{way.name}: all calls", lambda: _without_zeros(counted()) == _without_zeros(outcomes))
    problems = [
        f"doctor: {each.check}: {each.message}" for each in check_backend(store.url, way.spec) if each.level != "ok"
    ]
    dashboards, rules = dashboards_of(way.spec), build(way.spec)
    places = _places(dashboards)
    _, empty = empty_panels(store, dashboards, scrape=1, seconds=300)
    missing = [place for place in empty if not _NEVER_HAPPENED.fullmatch(place)]
    possible = sum(_NEVER_HAPPENED.fullmatch(place) is None for place in places)
    text = "".join(text for name, text in rules.items() if name.startswith("rules/"))
    recorded = {
        (each["metric"]["__name__"], each["metric"].get("slo", ""))
        for each in store.instant('count by (__name__, slo) ({__name__=~"claude_?[a-z]*:.+"})')
    }
    unrecorded = sorted(
        name
        for name in set(re.findall(r"record: (\S+)", text)) - {name for name, _ in recorded}
        if not _NEVER_HAPPENED.fullmatch(name)
    )
    goals = [goal.name for goal in way.spec.objectives]
    judged = [name for name in goals if ("claude_slo:error_ratio:rate5m", name) in recorded]
    problems += [f"no data: {name}" for name in (*missing, *unrecorded)]
    problems += _wrong_values(way, store, truth)
    return Result(
        naming=way.naming,
        namespace=way.namespace,
        histograms=list(way.forms),
        panels=f"{possible - len(missing)} of {possible}",
        objectives=f"{len(judged)} of {len(goals)}",
        problems=problems,
    )


def _without_zeros(counts: Mapping[str, float]) -> dict[str, float]:
    return {name: count for name, count in counts.items() if count}


def _places(dashboards: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Every query of the dashboards, named as `empty_panels` names them."""
    found: list[str] = []
    for name, dashboard in dashboards.items():
        found += [
            f"{name}: {panel['title']}: {target.get('refId')}"
            for panel in panels_of(dashboard)
            for target in panel["targets"]
        ]
        found += [f"{name}: annotation: {note['name']}" for note in dashboard["annotations"]["list"] if "expr" in note]
    return found


def _wrong_values(way: Way, store: Store, truth: Mapping[str, Any]) -> Iterator[str]:
    """What an objective or a percentile says that is not so."""
    report = truth["report"]
    bad = report["outcomes"]["error"] + sum(report["retries"].values())
    right = bad / (report["outcomes"]["ok"] + bad)
    found = store.instant('claude_slo:error_ratio:rate5m{slo="first-try"}')
    # `rate` does not know what happened before the first export.
    if not found or abs(float(found[0]["value"][1]) - right) > 0.05:
        yield f"first-try: expected {right}, got {found}"
    known, otherwise = (
        way.spec.model_copy(update={"histograms": form})
        for form in (way.forms[-1], "native" if "classic" in way.forms else "classic")
    )
    if by_other_form := _p95(store, otherwise):
        yield f"histograms: {otherwise.histograms} fits too: {by_other_form}"
    for spec in (way.spec, known):
        p95 = _p95(store, spec)
        for model, durations in truth["durations"].items():
            ordered = sorted(durations)
            # Failed calls are in the metric too, and the first second is not: one of the neighbours is right.
            low, high = (ordered[math.floor(len(ordered) * quantile)] for quantile in (0.92, 0.98))
            factor = 2.0 if way.app == "explicit" else 1.05
            if not low / factor <= p95.get(model, math.nan) <= high * factor:
                yield f"p95 of {model} with histograms: {spec.histograms}: expected {low} to {high}, got {p95}"


def _p95(store: Store, spec: Spec) -> dict[str, float]:
    selectors = SelectorBuilder(spec)
    found = store.instant(selectors.quantile(0.95, DURATION, by=(REQUEST_MODEL,)))
    return {each["metric"].get(selectors.label(REQUEST_MODEL), ""): float(each["value"][1]) for each in found}


def main() -> None:
    """Run all ways, and write the page."""
    with tempfile.TemporaryDirectory() as name:
        found = results(Path(name))
    for way, result in found.items():
        sys.stdout.write(f"{way}: {result.panels} panels, {result.objectives} objectives\n")
        sys.stdout.write("".join(f"    {problem}\n" for problem in result.problems))
    if any(result.problems for result in found.values()):
        raise SystemExit("nothing was written")
    RESULTS.write_text(json.dumps({way: result.to_dict() for way, result in found.items()}, indent=2) + "\n")
    MARKDOWN.write_text(render())


if __name__ == "__main__":
    main()
