"""`claudescope demo`, as a user runs it and as a function."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import anthropic
import pytest

import claudescope
import claudescope.testing
from claudescope._internal.exceptions import BadInputError
from claudescope.demo import run_demo, run_live
from claudescope.reporting.sink import ReportSink
from claudescope.simulator import Simulator, shipped_scenarios
from tests.billing import cost
from tests.cli import run_here


def _environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")}
    return {**inherited, "COLUMNS": "120"}


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, with nothing of a key in its environment."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "claudescope", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=_environment(),
    )


@dataclass(frozen=True)
class _Demo:
    """One finished demo.

    Attributes:
        output: What it printed.
        report: The report that it wrote.
        scraped: What it served to Prometheus while it ran.
    """

    output: str
    report: dict[str, Any]
    scraped: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> _Demo:
    """A demo with a report and a metrics port, which is run once."""
    file = tmp_path_factory.mktemp("demo") / "report.json"
    options = ("--duration", "4", "--seed", "7", "--json", str(file), "--metrics-port", "0")
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "claudescope", "demo", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(),
    ) as process:
        assert process.stdout is not None
        address = re.search(r"http://127\.0\.0\.1:\d+/metrics", process.stdout.readline())
        assert address is not None
        scraped = ""
        while "claude_client_cost_usd_total{" not in scraped and process.poll() is None:
            scraped = urllib.request.urlopen(address.group()).read().decode()  # noqa: S310 - loopback
        output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    return _Demo(output, json.loads(file.read_text()), scraped)


def test_prints_a_full_report_that_agrees(demo: _Demo) -> None:
    """The demo's report has percentiles, tokens, cost, retries and errors, and both sides counted the same."""
    assert "DIFFER" not in demo.output
    assert re.search(r"200 +(\d+) +\1 +agree", demo.output)
    report = demo.report
    chats = [row for row in report["rows"] if row["operation"] == "chat"]
    assert {row["workflow"] for row in chats} >= {"summarise", "weather-agent", "chat", "autocomplete", "classify"}
    assert all(0 < row["duration"]["p50"] <= row["duration"]["p99"] for row in chats)
    assert any(row["time_to_first_chunk"] for row in chats)
    assert report["tokens"]["input"] > report["tokens"]["cache_read"] > 0
    assert Decimal(report["cost_usd"]) > 0
    assert sum(report["retries"].values()) > 0
    assert report["unpriced_calls"] == 0


@pytest.mark.parametrize("scenario", shipped_scenarios())
def test_every_scenario_agrees_to_the_call(scenario: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the API does, claudescope has seen every HTTP request that the simulator answered, by status."""
    fresh = ReportSink()
    monkeypatch.setattr("claudescope.lifecycle._report_sink", fresh)
    # Retries wait for what the server asks, or half a second and more: the test has other things to show.
    monkeypatch.setattr(anthropic._base_client, "INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr(anthropic._base_client, "MAX_RETRY_DELAY", 0.02)
    claudescope.instrument()
    result = run_demo(scenario=scenario, seed=3, duration=0.6, time_scale=0.02)
    assert result.served is not None
    assert dict(result.report.attempts_by_status) == dict(result.served)
    assert result.agrees
    assert result.report.calls > 0


def test_tokens_and_cost_are_the_servers() -> None:
    """What claudescope says was billed is what the simulator billed, to the token and exactly."""
    claudescope.instrument()
    with Simulator("mixed", seed=11, time_scale=0.01) as api, claudescope.testing.capture_calls() as calls:
        client = anthropic.Anthropic(base_url=api.url, api_key="simulated", max_retries=0)
        for number in range(60):
            try:
                if number % 2:
                    client.messages.create(
                        model="claude-opus-5-5",
                        max_tokens=50,
                        system=[{"type": "text", "text": "Be brief. " * 600, "cache_control": {"type": "ephemeral"}}],
                        messages=[{"role": "user", "content": f"Question {number}"}],
                    )
                else:
                    with client.messages.stream(
                        model="claude-haiku-5-5",
                        max_tokens=50,
                        messages=[{"role": "user", "content": f"Question {number}"}],
                    ) as stream:
                        stream.until_done()
            except anthropic.AnthropicError:
                continue
        ledger = api.ledger()
    billed = [call.usage for call in calls if call.usage is not None]
    assert len(billed) == ledger.messages_billed > 40
    for model, tokens in ledger.tokens_by_model.items():
        seen = [call.usage for call in calls if call.response_model == model and call.usage is not None]
        cached = tokens.cache_read + tokens.cache_write_5m + tokens.cache_write_1h
        assert sum(usage.input_tokens for usage in seen) == tokens.input + cached
        assert sum(usage.output_tokens for usage in seen) == tokens.output
        assert sum(usage.cache_read_tokens for usage in seen) == tokens.cache_read
    assert sum(call.cost_usd or Decimal(0) for call in calls) == cost(ledger)


def test_serves_metrics_while_it_runs(demo: _Demo) -> None:
    """With a metrics port a scrape shows the catalogue's names with the demo's numbers."""
    assert "claude_client_cost_usd_total{" in demo.scraped
    assert "gen_ai_client_operation_duration_seconds_count{" in demo.scraped
    assert 'claude_workflow="' in demo.scraped


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--scenario", "overlaoded"], "overloaded"),
        (["--scenario", "no/such/file.yaml"], "no/such/file.yaml"),
        (["--duration", "-1"], "--duration -1: expected a number of seconds above 0"),
        (["--duration", "soon"], "--duration soon: "),
        (["--duration=soon"], "--duration soon: "),
        (["--sedd", "1"], "No such option: --sedd"),
        (["--metrics-port", "99999"], "--metrics-port 99999: expected a port from 1"),
        (["--json", "/no/such/folder/report.json"], "the folder /no/such/folder does not exist"),
        (["--live"], "set ANTHROPIC_API_KEY"),
        (["--live", "--budget", "much"], "--budget much: expected an amount in US dollars"),
    ],
)
def test_bad_input(arguments: list[str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mistake gives one clear message on standard error, and exit code 2."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    done = run_here("demo", *arguments)
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_busy_metrics_port() -> None:
    """A port that somebody else has is named, with what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = _run("demo", "--metrics-port", str(port))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"--metrics-port {port}:" in done.stderr
    assert "Choose another port" in done.stderr


def test_a_scenario_with_a_mistake(tmp_path: Path) -> None:
    """A scenario file's mistake is shown with its line."""
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\ndescription: Mine.\nerrors:\n  - {type: overloaded_error, shar: 0.5}\n")
    done = run_here("demo", "--scenario", str(file))
    assert done.returncode == 2
    assert "mine.yaml:4" in done.stderr
    assert "share" in done.stderr


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "yaml", "anthropic"])
def test_a_missing_extra(missing: str) -> None:
    """Without an extra's package, the message is the command that installs it."""
    extra = "instruments" if missing == "anthropic" else "simulator"
    code = (
        f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['claudescope', 'demo']\n"
        "from claudescope.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 2
    assert f"pip install 'claudescope[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_live_stops_at_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against what stands for the real API, no call begins once the budget is spent."""
    fresh = ReportSink()
    monkeypatch.setattr("claudescope.lifecycle._report_sink", fresh)
    with Simulator("steady", time_scale=0.01) as api:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", api.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "simulated")
        claudescope.instrument()
        result = run_live(duration=30, budget_usd=Decimal("0.005"))
    assert result.served is None
    assert result.agrees
    # The calls in flight when it was reached may go over it, by no more than one each.
    assert Decimal("0.005") <= result.report.cost_usd < Decimal("0.05")


@pytest.mark.parametrize(
    ("options", "expected"),
    [({"duration": 0}, "--duration 0"), ({"budget_usd": Decimal(0)}, "--budget 0")],
)
def test_live_refuses_no_bounds(options: dict[str, Any], expected: str) -> None:
    """The real API is only called within bounds."""
    with pytest.raises(BadInputError, match=expected):
        run_live(**options)
