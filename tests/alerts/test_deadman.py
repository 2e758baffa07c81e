"""The dead man's switch pages when Alertmanager stops, and not for what is no call of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from claudescope._internal.exceptions import BadInputError
from claudescope_alerts.build import build
from claudescope_alerts.deadman import Switch
from claudescope_alerts.spec.model import Spec, load_spec
from claudescope_alerts.spec.routing import DEADMAN_URL
from tests.alerts.conftest import default_build, program
from tests.alerts.stand_ins import PagerDuty
from tests.alerts.test_deployments import send
from tests.servers import run_server, wait_for, with_its_share

_KEY = "k" * 32


def _spec(folder: Path, url: str, **routing: object) -> Spec:
    (folder / "page.key").write_text(_KEY + "\n", encoding="utf-8")
    page = {"pagerduty_key_file": str(folder / "page.key"), "pagerduty_url": url}
    return Spec.model_validate({**load_spec().model_dump(by_alias=True), "routing": {"page": page, **routing}})


def _call(**labels: str) -> bytes:
    own = {"alertname": "ClaudeAlertingAlive", "service": "claude", **labels}
    return json.dumps({"alerts": [{"status": "firing", "labels": own}]}).encode()


def test_it_pages_once_and_resolves_once(tmp_path: Path) -> None:
    """Only its own alert keeps it silent; what can't be sent is sent again."""
    pagerduty, now = PagerDuty(frozenset({_KEY})), [0.0]
    with pagerduty.running() as base:
        switch = Switch(_spec(tmp_path, f"{base}/a/v2/enqueue"), 300, clock=lambda: now[0])
        now[0] = 299
        assert switch.check() is None
        assert switch.call(_call())
        now[0] = 598
        assert not any(map(switch.call, (b"", b"[]", b'{"alerts": [1]}', _call(service="other"), _call(alertname="x"))))
        assert switch.check() is None
        (tmp_path / "page.key").rename(tmp_path / "away")
        now[0] = 600
        assert "not sent" in str(switch.check())
        (tmp_path / "away").rename(tmp_path / "page.key")
        assert switch.check() is None
        now[0] = 631
        assert "paged" in str(switch.check())
        now[0] = 900
        assert switch.check() is None
        assert switch.call(_call())
        assert "resolved" in str(switch.check())
        assert [event["event_action"] for event in pagerduty.events] == ["trigger", "resolve"]
        assert len({event["dedup_key"] for event in pagerduty.events}) == 1
        assert pagerduty.refusals == []


def test_generated_routes_call_it_by_default() -> None:
    """The default spec has the receiver; one without a receiver of pages has none, and the command says so."""
    receivers = yaml.safe_load(default_build()["alertmanager/alertmanager.yml"])["receivers"]
    assert receivers[0]["webhook_configs"][0]["url"] == DEADMAN_URL
    nobody = Spec.model_validate({**load_spec().model_dump(by_alias=True), "routing": {}})
    receivers = yaml.safe_load(build(nobody)["alertmanager/alertmanager.yml"])["receivers"]
    assert "webhook_configs" not in receivers[0]
    with pytest.raises(BadInputError, match="expected a pagerduty_key_file or slack"):
        Switch(nobody, 300)


@pytest.mark.release
@pytest.mark.long
def test_a_dead_alertmanager_pages(tmp_path: Path) -> None:
    """A real Alertmanager calls the command, and PagerDuty is told after it was killed, and not before."""
    pagerduty = PagerDuty(frozenset({_KEY}))
    with pagerduty.running() as base:
        path = tmp_path / "claudescope.yaml"
        spec = _spec(tmp_path, f"{base}/a/v2/enqueue")
        document: Any = {
            "version": 1,
            "routing": {"page": spec.routing.page.model_dump(exclude_none=True)},
            "objectives": [{"name": "a", "target": 99.5, "sli": {"preset": "claude-availability"}}],
        }
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        command = [sys.executable, "-m", "claudescope", "alerts", "deadman", "--spec", str(path), "--after", "20s"]
        log = tmp_path / "switch.log"
        with (
            log.open("w", encoding="utf-8") as out,
            subprocess.Popen(  # noqa: S603 # ours
                [*command, "--listen", "127.0.0.1:0"], stdout=out, stderr=out, env={"PYTHONUNBUFFERED": "1"}
            ) as switch,
        ):
            try:
                wait_for("the switch", lambda: "listening on" in log.read_text(encoding="utf-8"), log)
                url = log.read_text(encoding="utf-8").split()[-1]
                routing = _spec(tmp_path, f"{base}/a/v2/enqueue", deadman={"url": url, "every": "10s"})
                config = tmp_path / "alertmanager.yml"
                config.write_text(build(routing)["alertmanager/alertmanager.yml"], encoding="utf-8")
                options: list[str | Path] = [
                    f"--config.file={config}",
                    f"--storage.path={tmp_path / 'data'}",
                    "--web.listen-address=127.0.0.1:0",
                    "--cluster.listen-address=",
                    "--log.level=debug",
                ]
                alertmanager = with_its_share(program("sid", "prometheus-alertmanager"), options)
                notified = tmp_path / "alertmanager.log"
                with run_server(alertmanager, notified) as running:
                    send(running, [{"alertname": "ClaudeAlertingAlive", "service": "claude"}])
                    wait_for("a call", lambda: "Notify success" in notified.read_text(encoding="utf-8"), notified)
                wait_for("the page", lambda: bool(pagerduty.events), log)
                assert pagerduty.events[0]["payload"]["summary"].startswith("claude: alerting is down")
            finally:
                switch.terminate()
        assert pagerduty.refusals == []
