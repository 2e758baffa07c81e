"""An alert from end to end: history, Prometheus with the generated rules, Alertmanager with the generated routes."""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from claudescope.schema.catalogue import CALLS, ERROR_TYPE, OPERATION, OUTCOME, OWNER, UNPRICED_CALLS
from claudescope.schema.error_types import ERROR_TYPES
from claudescope_alerts.build import build
from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.spec.model import Spec, load_spec
from claudescope_alerts.spec.routing import DAYS
from tests.alerts.conftest import default_build, program
from tests.alerts.stand_ins import Exporter, PagerDuty
from tests.servers import run_server, wait_for, with_its_share

PAGE_KEY, TICKET_KEY = "p" * 32, "t" * 32


def _spec(folder: Path, pagerduty: str, days: Sequence[str]) -> Spec:
    """The default spec, with this PagerDuty, and with these working days around the clock."""
    hours = {"zone": "UTC", "days": list(days), "from": "00:00", "to": "24:00"}
    routing = {
        "page": {"pagerduty_key_file": str(folder / "page.key"), "pagerduty_url": pagerduty},
        "ticket": {"pagerduty_key_file": str(folder / "ticket.key"), "pagerduty_url": pagerduty, "hours": hours},
    }
    return Spec.model_validate({**load_spec().model_dump(by_alias=True), "routing": routing})


def _other_days() -> Sequence[str]:
    """Working days of a week in which today is a Saturday; nor does it end while the test runs past midnight."""
    today = dt.datetime.now(dt.timezone.utc).weekday()
    return [day for place, day in enumerate(DAYS) if (place - today) % 7 not in {0, 1}]


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 # ours
        return json.load(answer)


def _history(folder: Path, suite: str, exporter: Exporter, series: tuple[str, str, str]) -> None:
    """Write 90 minutes of healthy calls, and let the exporter carry on where they end."""
    ok, bad, unpriced = series
    now = int(time.time())
    minutes = range(90, 0, -1)
    lines: list[str] = []
    for name, rate in ((ok, 100), (bad, 0), (unpriced, 0)):
        metric = name.partition("{")[0]
        lines.append(f"# TYPE {metric.removesuffix('_total')} {'counter' if metric.endswith('_total') else 'unknown'}")
        labels = name.removeprefix(metric).replace(", ", ",").replace("}", ',job="app",instance="one"}')
        lines += [f"{metric}{labels} {1000 + rate * (90 - minute)} {now - 60 * minute}" for minute in minutes]
        exporter.values[name] = 1000 + rate * 90
    text = "\n".join([*dict.fromkeys(lines), "# EOF", ""])  # one TYPE for all series of a metric
    (folder / "history.txt").write_text(text, encoding="utf-8")
    command: list[str | Path] = [
        program(suite, "promtool"),
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        "history.txt",
        "data",
    ]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)  # noqa: S603 # ours


def _prometheus_config(folder: Path, exporter: Exporter, alertmanagers: list[str]) -> None:
    """The generated rules, with `for` and `keep_firing_for` cut to a second: promtool tests the real ones."""
    rules = folder / "rules"
    rules.mkdir()
    for path, text in default_build().items():
        if path.startswith("rules/"):
            quick = re.sub(r"(for|keep_firing_for): \d+[mhd]", r"\1: 1s", text)
            (rules / Path(path).name).write_text(quick, encoding="utf-8")
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules/*.yml"],
        "scrape_configs": [
            {"job_name": "app", "static_configs": [{"targets": [exporter.address], "labels": {"instance": "one"}}]}
        ],
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [url.removeprefix("http://")]}]} for url in alertmanagers]
        },
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")


@pytest.mark.timeout(300)
@pytest.mark.long
@pytest.mark.parametrize(
    ("suite", "other"), [pytest.param("bookworm", "sid", marks=pytest.mark.release), ("sid", "bookworm")]
)
def test_a_burn_pages_once_and_resolves_once_and_a_ticket_waits_for_business_hours(
    tmp_path: Path, suite: str, other: str
) -> None:
    """One trigger, one resolve with the same key; on a day off the ticket is held, and the page is not."""
    selectors = SelectorBuilder(load_spec())
    ok = selectors.series(CALLS, {OPERATION: "chat", OUTCOME: "ok"})
    overloaded = ERROR_TYPES["overloaded_error"]
    failed = {OPERATION: "chat", OUTCOME: "error", OWNER: overloaded.owner, ERROR_TYPE: overloaded.name}
    bad, unpriced = selectors.series(CALLS, failed), selectors.series(UNPRICED_CALLS, {OPERATION: "chat"})
    (tmp_path / "page.key").write_text(PAGE_KEY, encoding="utf-8")
    (tmp_path / "ticket.key").write_text(TICKET_KEY, encoding="utf-8")
    pagerduty = PagerDuty(frozenset({PAGE_KEY, TICKET_KEY}))
    with ExitStack() as running:
        exporter = running.enter_context(Exporter().running())
        base = running.enter_context(pagerduty.running())
        # The same alerts go to two Alertmanagers: today is a day off for one, and a working day for the other.
        alertmanagers: dict[str, str] = {}
        for to, version, days in (("closed", suite, _other_days()), ("open", other, [*DAYS])):
            config = tmp_path / f"{to}.yml"
            files = build(_spec(tmp_path, f"{base}/{to}/v2/enqueue", days))
            config.write_text(files["alertmanager/alertmanager.yml"], encoding="utf-8")
            options: list[str | Path] = [
                f"--config.file={config}",
                f"--storage.path={tmp_path / to}",
                "--web.listen-address=127.0.0.1:0",
                "--cluster.listen-address=",
                "--log.level=debug",
            ]
            command = with_its_share(program(version, "prometheus-alertmanager"), options)
            alertmanagers[to] = running.enter_context(run_server(command, tmp_path / f"{to}.log"))
        _history(tmp_path, suite, exporter, (ok, bad, unpriced))
        _prometheus_config(tmp_path, exporter, list(alertmanagers.values()))
        prometheus_command: list[str | Path] = [
            program(suite, "prometheus"),
            f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            "--web.listen-address=127.0.0.1:0",
        ]
        log = tmp_path / "prometheus.log"
        prometheus = running.enter_context(run_server(prometheus_command, log))
        wait_for("a scrape", lambda: exporter.scrapes > 2, log)
        groups = _get(f"{prometheus}/api/v1/rules")["data"]["groups"]
        assert len(groups) == len(list((tmp_path / "rules").iterdir()))
        assert pagerduty.events == []  # no alert fires but the dead man's switch, which has no receiver

        exporter.values[bad] += 5000  # 5000 of 11000 calls of the last hour: a burn rate of about 90
        exporter.values[unpriced] += 3
        wait_for("the page", lambda: bool(pagerduty.of("closed", PAGE_KEY) and pagerduty.of("open", PAGE_KEY)), log)
        wait_for("the ticket", lambda: bool(pagerduty.of("open", TICKET_KEY)), tmp_path / "open.log")
        held = "not within active time"
        wait_for(
            "the hold", lambda: held in (tmp_path / "closed.log").read_text(encoding="utf-8"), tmp_path / "closed.log"
        )

        def burns(to: str) -> list[dict[str, Any]]:
            events = pagerduty.of(to, PAGE_KEY)
            keys = {event["dedup_key"] for event in events if event.get("payload", {}).get("group") == "availability"}
            return [event for event in events if event["dedup_key"] in keys]

        exporter.values[ok] += 10_000_000  # so many good calls that no window is over its burn rate
        wait_for("the resolve", lambda: any(event["event_action"] == "resolve" for event in burns("closed")), log)

        (trigger, resolve) = burns("closed")
        assert [trigger["event_action"], resolve["event_action"]] == ["trigger", "resolve"]
        assert trigger["dedup_key"] == resolve["dedup_key"]
        assert trigger["payload"]["severity"] == "critical"
        assert re.fullmatch(
            r"claude: error-budget burn rate of availability is [\d.]+ \(page threshold 14\.4\)",
            trigger["payload"]["summary"],
        )
        assert trigger["payload"]["custom_details"]["runbook"].endswith("#claudeerrorbudgetburn")
        # The held ticket never left, though its Alertmanager has it.
        assert pagerduty.of("closed", TICKET_KEY) == []
        waiting = {alert["labels"]["alertname"] for alert in _get(f"{alertmanagers['closed']}/api/v2/alerts")}
        assert "ClaudeUnpricedCalls" in waiting
        assert "warning" in {event["payload"]["severity"] for event in pagerduty.of("open", TICKET_KEY)}
        assert pagerduty.refusals == []
