"""Several deployments of one service: none silences another, and each has incidents of its own."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from claudescope.schema.catalogue import REQUEST_MODEL
from claudescope_alerts.build import build
from claudescope_alerts.spec.model import Spec, load_spec
from claudescope_dashboards.build import dashboards_of
from claudescope_dashboards.lint import queries_of
from tests.alerts.conftest import default_build, program
from tests.servers import run_server, wait_for, with_its_share


def _spec(**service: object) -> Spec:
    return Spec.model_validate({**load_spec().model_dump(by_alias=True), "service": service})


def send(url: str, alerts: list[dict[str, str]]) -> None:
    """Send alerts to an Alertmanager."""
    body = json.dumps([{"labels": labels, "annotations": {"summary": "x"}} for labels in alerts]).encode()
    request = urllib.request.Request(f"{url}/api/v2/alerts", body, {"Content-Type": "application/json"})  # noqa: S310
    urllib.request.urlopen(request, timeout=60).close()  # noqa: S310 # ours


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 # ours
        return json.load(answer)


def test_a_page_silences_only_tickets_of_its_own_cluster_and_model(tmp_path: Path) -> None:
    """In a real Alertmanager with the default routes: clusters and, of an objective per model, models are apart."""
    config = tmp_path / "alertmanager.yml"
    config.write_text(default_build()["alertmanager/alertmanager.yml"], encoding="utf-8")
    keys = config.read_text(encoding="utf-8").replace("/etc/alertmanager", str(tmp_path))
    config.write_text(keys, encoding="utf-8")
    options: list[str | Path] = [
        f"--config.file={config}",
        f"--storage.path={tmp_path / 'data'}",
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=",
    ]
    burn = {"alertname": "ClaudeErrorBudgetBurn", "service": "claude"}
    shared = {**burn, "slo": "availability"}
    model = REQUEST_MODEL.prometheus
    alerts = [
        {**shared, "severity": "page", "tier": "page-fast", "cluster": "a"},
        {**shared, "severity": "ticket", "tier": "ticket-fast", "cluster": "a"},
        {**shared, "severity": "ticket", "tier": "ticket-fast", "cluster": "b"},
        *({**burn, "slo": "duration", "severity": "ticket", "tier": "ticket-fast", model: name} for name in ("x", "y")),
    ]
    command = with_its_share(program("sid", "prometheus-alertmanager"), options)
    with run_server(command, tmp_path / "log") as url:
        send(url, alerts)
        wait_for("the groups", lambda: len(_get(f"{url}/api/v2/alerts/groups")) == 5, tmp_path / "log")
        wait_for(
            "the inhibition",
            lambda: len(_get(f"{url}/api/v2/alerts?inhibited=true&active=false&silenced=false")) == 1,
            tmp_path / "log",
        )
        (silenced,) = _get(f"{url}/api/v2/alerts?inhibited=true&active=false&silenced=false")
    assert (silenced["labels"]["severity"], silenced["labels"]["cluster"]) == ("ticket", "a")


def test_every_rule_has_the_labels_of_the_spec() -> None:
    """Alerts and recorded series have them, rules read only what has them, and Alertmanager groups by them."""
    spec = _spec(name="shop", alert_labels={"team": "search", "env": 'pro"d'}, deployment_labels=["zone"])
    files = build(spec)
    for name, text in files.items():
        if name.startswith("rules/"):
            for rule in yaml.safe_load(text)["groups"][0]["rules"]:
                assert {"team": "search", "env": 'pro"d', "service": "shop"}.items() <= rule["labels"].items(), name
                if "claude_slo:" in rule["expr"]:
                    assert 'team="search", env="pro\\"d"' in rule["expr"]
    config = yaml.safe_load(files["alertmanager/alertmanager.yml"])
    extra = {"cluster", "zone", "team", "env"}
    routes = [config["route"], *(route for route in config["route"]["routes"] if "group_by" in route)]
    assert len(routes) == 3
    assert all(extra <= set(route["group_by"]) for route in routes)
    assert all(extra <= set(rule["equal"]) for rule in config["inhibit_rules"])


def test_dashboards_have_a_variable_for_each_deployment_label() -> None:
    """Each narrows the later ones, and every query of the service's own series."""
    dashboards = dashboards_of(_spec(name="claude", deployment_labels=["cluster", "region"]))
    for dashboard in dashboards.values():
        names = [variable["name"] for variable in dashboard["templating"]["list"]]
        assert names[:5] == ["datasource", "cluster", "region", "job", "instance"]
        instance = dashboard["templating"]["list"][4]["query"]["query"]
        assert 'cluster=~"$cluster", region=~"$region", job=~"$job"' in instance
    for _, query in queries_of(dashboards["errors"]):
        # `target_info` only names the version of a process, and need not have these labels.
        expr = re.sub(r"target_info\{[^}]*\}", "", query)
        assert expr.count('instance=~"$instance"') == expr.count('region=~"$region"')
