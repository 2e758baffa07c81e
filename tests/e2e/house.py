"""Everything that a team would run around its app, of real parts: what a Monday's adoption comes to.

Only the Claude API and PagerDuty are stand-ins.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from claudescope.simulator import Simulator
from tests.alerts.conftest import program
from tests.alerts.stand_ins import PagerDuty
from tests.e2e.timelapse import faster
from tests.otlp_sink import OtlpSink
from tests.sentry import bugsink
from tests.sentry.bugsink import Project
from tests.servers import run_server, wait_for, with_its_share

PAGE_KEY, TICKET_KEY = "p" * 32, "t" * 32
SUITE = "sid"
PATIENCE = 240.0
_HERE = Path(__file__).parent


def claudescope(*arguments: str | Path, cwd: Path) -> str:
    """Run a command of claudescope's as a team would, and see that it works."""
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-m", "claudescope", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclass
class House:
    """What runs.

    Attributes:
        api: The simulated Claude API.
        otlp: Gets traces, metrics and logs.
        sentry: A project on a real Sentry-compatible server.
        pagerduty: The strict stand-in.
        repository: Where the team keeps its spec, and what is generated from it.
        prometheus: Base URL.
        alertmanager: Base URL.
        app: The process that `claudescope run` became.
        folder: Logs and results.
    """

    api: Simulator
    otlp: OtlpSink
    sentry: Project
    pagerduty: PagerDuty
    repository: Path
    prometheus: str
    alertmanager: str
    app: subprocess.Popen[str]
    folder: Path

    def query(self, promql: str) -> list[dict[str, Any]]:
        """The answer of Prometheus to an instant query."""
        address = f"{self.prometheus}/api/v1/query?{urllib.parse.urlencode({'query': promql})}"
        with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - ours
            result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return result

    def number(self, promql: str) -> float:
        """The one number that a query comes to."""
        (sample,) = self.query(promql)
        return float(sample["value"][1])

    def dashboards(self) -> dict[str, Any]:
        """The dashboards that the team would import."""
        folder = self.repository / "observability" / "dashboards" / "dashboards"
        return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.iterdir())}

    def firing(self) -> list[tuple[str, str, str]]:
        """Every alert that has fired so far, as name, error type or objective, and owner, oldest first."""
        began = "min_over_time(timestamp(ALERTS{alertstate='firing', alertname!='ClaudeAlertingAlive'})[15m:1s])"
        oldest_first = sorted(self.query(began), key=lambda sample: float(sample["value"][1]))
        labels = [sample["metric"] for sample in oldest_first]
        names = [(each["alertname"], each.get("error_type") or each.get("slo", ""), each["owner"]) for each in labels]
        return list(dict.fromkeys(names))

    def wait(self, what: str, condition: Any) -> None:
        """Wait for something to come true."""
        wait_for(what, condition, self.folder / "prometheus.log", patience=PATIENCE)

    def tell(self, number: signal.Signals, answer: str | None = None) -> None:
        """Send the app a signal, and read the line that it answers with."""
        self.app.send_signal(number)
        if answer is not None:
            assert self.app.stdout is not None
            assert self.app.stdout.readline() == f"{answer}\n"


def _repository(folder: Path, pagerduty: str) -> Path:
    """What a team does first: `init`, its own routes and budget in the spec, and `build`."""
    folder.mkdir()
    claudescope("init", cwd=folder)
    spec = folder / "observability" / "claudescope.yaml"
    document = yaml.safe_load(spec.read_text(encoding="utf-8"))
    document["thresholds"]["daily_budget_usd"] = 1_000_000  # the desk asks for a day in minutes
    document["routing"] = {
        "page": {"pagerduty_key_file": str(folder / "page.key"), "pagerduty_url": f"{pagerduty}/desk/v2/enqueue"},
        "ticket": {
            "pagerduty_key_file": str(folder / "ticket.key"),
            "pagerduty_url": f"{pagerduty}/desk/v2/enqueue",
            "hours": {"zone": "UTC", "days": "mon-sun", "from": "00:00", "to": "24:00"},
        },
    }
    spec.write_text(yaml.safe_dump(document), encoding="utf-8")
    (folder / "page.key").write_text(PAGE_KEY, encoding="utf-8")
    (folder / "ticket.key").write_text(TICKET_KEY, encoding="utf-8")
    claudescope("alerts", "build", "--spec", spec, "--out", "observability/alerts", cwd=folder)
    claudescope("dashboards", "build", "--spec", spec, "--out", "observability/dashboards", cwd=folder)
    return folder


def _alertmanager(folder: Path, repository: Path) -> Sequence[str | Path]:
    generated = repository / "observability" / "alerts" / "alertmanager" / "alertmanager.yml"
    config = folder / "alertmanager.yml"
    config.write_text(faster(generated.read_text(encoding="utf-8")), encoding="utf-8")
    options: list[str | Path] = [
        f"--config.file={config}",
        f"--storage.path={folder / 'alertmanager'}",
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=",
    ]
    return with_its_share(program(SUITE, "prometheus-alertmanager"), options)


def _prometheus(folder: Path, repository: Path, alertmanager: str, target: str) -> Sequence[str | Path]:
    rules = folder / "rules"
    rules.mkdir()
    for generated in (repository / "observability" / "alerts" / "rules").iterdir():
        (rules / generated.name).write_text(faster(generated.read_text(encoding="utf-8")), encoding="utf-8")
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules/*.yml"],
        "scrape_configs": [{"job_name": "desk", "static_configs": [{"targets": [target]}]}],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager.removeprefix("http://")]}]}]},
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return [
        program(SUITE, "prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--web.listen-address=127.0.0.1:0",
    ]


@contextmanager
def _desk(folder: Path, api: Simulator, otlp: OtlpSink, dsn: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """The app under `claudescope run`, and the address that its metrics are on."""
    dropped = ("OTEL_", "CLAUDESCOPE_", "SENTRY_", "ANTHROPIC_")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(dropped)},
        "ANTHROPIC_BASE_URL": api.url,
        "ANTHROPIC_API_KEY": "simulated",
        "SENTRY_DSN": dsn,
        "OTEL_SERVICE_NAME": "desk",
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp.http_url,
        "OTEL_METRIC_EXPORT_INTERVAL": "2000",
    }
    run = [sys.executable, "-m", "claudescope", "run", "--metrics-port", "0", "--json", str(folder / "report.json")]
    with (
        (folder / "desk.log").open("w", encoding="utf-8") as log,
        subprocess.Popen(  # noqa: S603 - our own
            [*run, "--", sys.executable, str(_HERE / "app.py"), str(folder / "desk.json")],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n", (folder / "desk.log").read_text(encoding="utf-8")
            address = re.search(r"http://(127\.0\.0\.1:\d+)/metrics", (folder / "desk.log").read_text(encoding="utf-8"))
            assert address is not None
            yield process, address.group(1)
        finally:
            if process.poll() is None:
                process.kill()


@contextmanager
def house(folder: Path) -> Generator[House]:
    """Start everything; it is all stopped in the end."""
    with ExitStack() as running:
        api = running.enter_context(Simulator("steady", time_scale=0.2))
        otlp = running.enter_context(OtlpSink().running())
        project = running.enter_context(bugsink.running(folder)).project("desk")
        pagerduty = PagerDuty(frozenset({PAGE_KEY, TICKET_KEY}))
        repository = _repository(folder / "repository", running.enter_context(pagerduty.running()))
        alertmanager = running.enter_context(
            run_server(list(_alertmanager(folder, repository)), folder / "alertmanager.log")
        )
        app, target = running.enter_context(_desk(folder, api, otlp, project.dsn))
        prometheus = running.enter_context(
            run_server(list(_prometheus(folder, repository, alertmanager, target)), folder / "prometheus.log")
        )
        yield House(api, otlp, project, pagerduty, repository, prometheus, alertmanager, app, folder)
