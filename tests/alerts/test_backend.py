"""What a running server is asked, on real ones: naming, form of histograms, retention, and what to change."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from typer.testing import CliRunner

from claudescope._internal.exceptions import BadInputError
from claudescope.cli import app
from claudescope_alerts.backend import BackendFinding, check_backend
from claudescope_alerts.spec.model import Spec, load_spec
from tests.alerts.conftest import program
from tests.dashboards.api import Store
from tests.servers import run_server, serving, wait_for

_CLASSIC = """# TYPE gen_ai_client_operation_duration_seconds histogram
gen_ai_client_operation_duration_seconds_bucket{le="1"} 1
gen_ai_client_operation_duration_seconds_bucket{le="+Inf"} 2
gen_ai_client_operation_duration_seconds_sum 3
gen_ai_client_operation_duration_seconds_count 2
"""
_CALLS = "claude_client_calls_total 2\n"
_SCRAPED = {
    "scraped": _CALLS + _CLASSIC,
    "native": _CALLS + _CLASSIC,
    "without-suffixes": "claude_client_calls 2\ngen_ai_client_operation_duration_bucket 2\n",
    "utf8": '{"claude.client.calls_total"} 2\n{"gen_ai.client.operation.duration_seconds_bucket"} 2\n',
    "otel": '{"claude.client.calls"} 2\n{"gen_ai.client.operation.duration_bucket"} 2\n',
    "prefixed": "acme_ai_claude_client_calls_total 2\nacme_ai_gen_ai_client_operation_duration_seconds_bucket 2\n",
    "two-ways": _CALLS + _CLASSIC + "claude_client_calls 2\n",
    "another": "gen_ai_client_operation_duration_seconds_count 2\n",
}
"""What apps serve, by job."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """A Prometheus that keeps samples for 15 days, as by default, and scrapes each of these apps."""
    folder = tmp_path_factory.mktemp("backend")

    async def metrics(request: Request) -> PlainTextResponse:
        return PlainTextResponse(_SCRAPED[request.path_params["job"]], media_type="text/plain; version=0.0.4")

    with serving(Route("/{job}", metrics)) as apps:
        scrapes = [
            {
                "job_name": job,
                "scrape_interval": "1s",
                "metrics_path": f"/{job}",
                "convert_classic_histograms_to_nhcb": job == "native",
                "static_configs": [{"targets": [apps.removeprefix("http://")]}],
            }
            for job in _SCRAPED
        ]
        (folder / "prometheus.yml").write_text(yaml.safe_dump({"scrape_configs": scrapes}), encoding="utf-8")
        command: list[str | Path] = [
            program("sid", "prometheus"),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--web.listen-address=127.0.0.1:0",
            "--enable-feature=native-histograms",
        ]
        with run_server(command, folder / "log") as server:
            store = Store(server)
            wait_for("Prometheus is ready", store.is_ready, folder / "log")
            wait_for("all are scraped", lambda: len(store.instant("up == 1")) == len(_SCRAPED), folder / "log")
            yield server


def _spec(job: str, **changes: Any) -> Spec:
    service = {"name": "claude", "labels": {"job": job}}
    return Spec.model_validate({**load_spec().model_dump(by_alias=True), "service": service, **changes})


def _by_check(url: str, spec: Spec) -> dict[str, BackendFinding]:
    return {finding.check: finding for finding in check_backend(url, spec)}


@pytest.mark.parametrize(
    ("job", "naming", "namespace"),
    [
        ("scraped", "prometheus", ""),
        ("without-suffixes", "without-suffixes", ""),
        ("utf8", "utf8", ""),
        ("otel", "victoriametrics", ""),
        ("prefixed", "prometheus", "acme_ai"),
    ],
)
def test_it_says_which_naming_fits(url: str, job: str, naming: str, namespace: str) -> None:
    """Under any other naming it names the one that fits, and with that it finds no mistake but the retention."""
    other = {"naming": "utf8" if naming != "utf8" else "prometheus"}
    wrong = _by_check(url, _spec(job, **other))
    assert wrong["naming"].level == "error"
    assert f"Set naming: {naming}{f' and namespace: {namespace}' if namespace else ''} in" in wrong["naming"].fix
    assert "series" not in wrong
    right = _by_check(url, _spec(job, naming=naming, namespace=namespace))
    levels = {check: finding.level for check, finding in right.items()}
    assert levels == {"naming": "ok", "series": "ok", "histograms": "ok", "retention": "error"}
    assert "claude.client.retries" in right["series"].message


def test_it_says_which_form_of_histograms_fits(url: str) -> None:
    """`auto` fits both forms, a fixed form only its own."""
    for job, form, other in (("scraped", "classic", "native"), ("native", "native", "classic")):
        assert form in _by_check(url, _spec(job))["histograms"].message
        assert _by_check(url, _spec(job, histograms=form))["histograms"].level == "ok"
        wrong = _by_check(url, _spec(job, histograms=other))["histograms"]
        assert wrong.level == "error"
        assert f"Set histograms: {form} or" in wrong.fix


def test_it_says_what_is_mixed_or_missing(url: str) -> None:
    """Two ways in, another instrumentation alone, labels that no series has, and no series at all."""
    twice = _by_check(url, _spec("two-ways"))["naming"]
    assert (twice.level, "naming: without-suffixes" in twice.message) == ("warning", True)
    another = _by_check(url, _spec("another"))["naming"]
    assert (another.level, "another instrumentation" in another.message) == ("error", True)
    labels = _by_check(url, _spec("elsewhere"))["series"]
    assert (labels.level, "job: elsewhere" in labels.message) == ("error", True)
    both = _spec("scraped").model_copy(update={"service": load_spec().service})
    assert _by_check(url, both)["histograms"].level == "warning"


def test_a_budget_needs_its_whole_period(url: str) -> None:
    """Thirty days asked of fifteen: the objectives are named, with the option of Prometheus that keeps enough."""
    found = _by_check(url, _spec("scraped"))["retention"]
    assert found.level == "error"
    assert all(goal.name in found.message for goal in load_spec().objectives)
    assert "15d of 30d" in found.message
    assert "--storage.tsdb.retention.time=30d" in found.fix


def test_victoriametrics_is_asked_too(tmp_path: Path) -> None:
    """Its month is long enough for 30 days and short for 90, and its own buckets are told from classic ones."""
    command: list[str | Path] = [program("sid", "victoria-metrics"), f"-storageDataPath={tmp_path / 'data'}"]
    command += ["-httpListenAddr=127.0.0.1:0", "-search.latencyOffset=0s"]
    with run_server(command, tmp_path / "log") as server:
        wait_for("VictoriaMetrics is ready", Store(server).is_ready, tmp_path / "log")
        assert _by_check(server, load_spec())["series"].fix.startswith("Run `claudescope doctor`")
        own = 'gen_ai_client_operation_duration_seconds_bucket{vmrange="1.0e-01...1.1e-01"} 2\n'
        request = urllib.request.Request(f"{server}/api/v1/import/prometheus", (_CALLS + own).encode(), method="POST")  # noqa: S310 # loopback
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310 # loopback
            Store(server).flush()
        found = _by_check(server, load_spec())
        assert {check: finding.level for check, finding in found.items()} == {
            "naming": "ok",
            "series": "ok",
            "histograms": "error",
            "retention": "ok",
        }
        assert "explicit_bucket_histogram" in found["histograms"].fix
        long = [goal.model_copy(update={"window": "90d"}) for goal in load_spec().objectives]
        assert _by_check(server, load_spec().model_copy(update={"objectives": long}))["retention"].level == "error"


def test_both_commands_ask(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`alerts check` and `doctor` exit with 1 for an error, and print what to change."""
    monkeypatch.setenv("PATH", str(tmp_path))  # no validators
    spec = tmp_path / "claudescope.yaml"
    goal = {"name": "quick", "sli": {"preset": "claude-availability"}, "target": 99}
    document = {"version": 1, "service": {"labels": {"job": "native"}}, "histograms": "classic", "objectives": [goal]}
    spec.write_text(yaml.safe_dump(document), encoding="utf-8")
    checked = CliRunner().invoke(app, ["alerts", "check", "--spec", str(spec), "--prometheus", url])
    assert checked.exit_code == 1
    assert f"failed   {url}: histograms" in checked.stderr
    assert f"passed   {url}: naming" in checked.stderr
    asked = CliRunner().invoke(app, ["doctor", "--no-connect", "--json", "--spec", str(spec), "--prometheus", url])
    assert asked.exit_code == 1
    found = {one["check"]: one for one in json.loads(asked.stdout)["findings"]}
    assert found["backend.histograms"]["level"] == "error"
    assert found["backend.naming"]["level"] == "ok"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("prometheus:9090", "expected a URL that starts with http"),
        ("http://127.0.0.1:1", "can't be reached"),
        ("http://user:secret@host:port", "can't be reached"),
        ("http://[::1", "can't be reached"),
        ("http://ex ample", "can't be reached"),
    ],
)
def test_a_url_that_is_none_is_bad_input(url: str, says: str) -> None:
    """One message with the URL, never a traceback."""
    with pytest.raises(BadInputError, match=says):
        check_backend(url, load_spec())


def test_what_is_no_prometheus_is_bad_input() -> None:
    """A page, or JSON of another shape, at the URL: the message says which URL is expected."""

    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse({"page": "<html>", "json": "[1]"}[request.path_params["kind"]])

    with serving(Route("/{kind}/{rest:path}", answer)) as server:
        for kind in ("page", "json"):
            with pytest.raises(BadInputError, match="Expected the base URL of Prometheus"):
                check_backend(f"{server}/{kind}", load_spec())


def test_options_of_the_question_need_the_url(tmp_path: Path) -> None:
    """A tenant or a token without `--prometheus` is a mistake, and not ignored."""
    for command in (["alerts", "check"], ["doctor"]):
        for option in (["--tenant", "team"], ["--token-file", str(tmp_path / "token")]):
            result = CliRunner().invoke(app, [*command, *option])
            assert isinstance(result.exception, BadInputError)
