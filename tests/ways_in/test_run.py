"""`claudescope run`: the command's own behaviour is untouched, and its report is right however it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from claudescope.cli import main
from claudescope.simulator import Simulator
from tests.otlp_sink import OtlpSink
from tests.ways_in.conftest import APPS, PATIENCE, Commands, scraped, wait_for_calls

pytestmark = pytest.mark.timeout(300)

_SCRIPT = APPS / "script.py"
_RUN = (sys.executable, "-m", "claudescope", "run")
_APP = ("--", sys.executable, _SCRIPT)


def _report(path: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(path.read_text())
    return result


@pytest.mark.parametrize(
    ("mode", "code", "calls"),
    [
        ("raise", 1, 3),
        ("kill", -signal.SIGKILL, 3),
        ("spawn", 0, 9),
        ("terminated", 0, 3),
    ],
)
def test_reports_however_it_ends(mode: str, code: int, calls: int, commands: Commands, tmp_path: Path) -> None:
    """The report has every call of every process; the exit is the command's own."""
    file = tmp_path / "report.json"
    done = commands.run(*_RUN, "--json", file, *_APP, mode, "3", code=code)
    assert (_report(file)["calls"], _report(file)["outcomes"]["ok"]) == (calls, calls)
    assert "claude-haiku-5-5" in done.stderr
    assert ("RuntimeError: the app's own mistake" in done.stderr) == (mode == "raise")
    assert done.stdout == ""


def test_input_output_and_process_are_its_own(commands: Commands) -> None:
    """Standard input, standard output, arguments, parent, process group and exit code are as without."""
    done = commands.run(*_RUN, "--no-report", *_APP, "echo", "2", "--json", code=7, stdin="hello")
    assert done.stdout == f"echo hello {[str(_SCRIPT), 'echo', '2', '--json']} {os.getpid()} {os.getpgrp()}\n"
    assert done.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_signals_reach_it(number: signal.Signals, commands: Commands, tmp_path: Path) -> None:
    """A signal ends the command as it would have without, and the report follows."""
    file = tmp_path / "report.json"
    with commands.started(*_RUN, "--json", file, *_APP, "wait", "3") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, number)  # as a terminal does: to the whole group
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == -number
    assert ("KeyboardInterrupt" in errors) == (number == signal.SIGINT)
    assert _report(file)["calls"] == 3


def test_any_command(commands: Commands, tmp_path: Path) -> None:
    """Modules, console scripts and shells that start Python are instrumented alike."""
    file = tmp_path / "report.json"
    test = tmp_path / "test_app.py"
    test.write_text("import script\n\ndef test_ask():\n    script.ask(2)\n")
    inner = commands.with_variables(PYTHONPATH=str(APPS))
    shell = f"{sys.executable} -m script plain 1; pytest -q -p no:cacheprovider {test}; exit 5"
    done = inner.run(*_RUN, "--json", file, "--", "sh", "-c", shell, code=5)
    assert "1 passed" in done.stdout
    assert _report(file)["calls"] == 3


def test_the_apps_own_sitecustomize_runs(commands: Commands, tmp_path: Path) -> None:
    """A sitecustomize that the app has is run, and is what `sitecustomize` names; the SDK keeps its loader."""
    (tmp_path / "sitecustomize.py").write_text("MINE = True\n")
    code = (
        "import sitecustomize, sys, anthropic, claudescope\n"
        "assert sitecustomize.MINE\n"
        "assert type(anthropic.__spec__.loader).__name__ == 'SourceFileLoader' == type(anthropic.__loader__).__name__\n"
        "assert not any('bootstrap' in path for path in sys.path)\n"
        "assert [type(each).__name__ for each in sys.meta_path if 'WhenImported' in type(each).__name__] == []\n"
        "claudescope.instrument(prices={'house': claudescope.Price(input=1, output=1)})\n"
    )
    commands.with_variables(PYTHONPATH=str(tmp_path)).run(*_RUN, "--no-report", "--", sys.executable, "-c", code)


def test_a_process_without_the_sdk_pays_nothing(commands: Commands) -> None:
    """Where the SDK is not imported, neither is claudescope; the report says that no calls were recorded."""
    done = commands.run(*_RUN, "--", sys.executable, "-c", "import sys; print('claudescope' in sys.modules)")
    assert done.stdout == "False\n"
    assert "no calls recorded" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "expected"),
    [
        ([], {}, "no command given. Add it after --"),
        (["--", "no-such-program"], {}, "no-such-program was not found"),
        (["--", str(APPS / "conftest.txt")], {}, "was not found"),
        (["--", str(_SCRIPT)], {}, "is not executable. Did you mean: claudescope run -- python"),
        (["--json", "/no/such/folder/x.json", "--", "true"], {}, "the folder /no/such/folder does not exist"),
        (["--metrics-port", "70000", "--", "true"], {}, "--metrics-port 70000: expected a port"),
        (["--", "true"], {"CLAUDESCOPE_SPANS": "ours"}, "CLAUDESCOPE_SPANS=ours: expected auto, own or off"),
        (["--", "true"], {"CLAUDESCOPE_EXIT_TIMEOUT": "soon"}, "CLAUDESCOPE_EXIT_TIMEOUT=soon: expected a number"),
    ],
)
def test_bad_usage(
    arguments: list[str],
    variables: dict[str, str],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each mistake gives one clear message and exit code 2, and the command is not run."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["claudescope", "run", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    output = capsys.readouterr()
    assert (ended.value.code, output.out) == (2, "")
    assert expected in output.err.replace("\n", " ")


def test_a_busy_port(commands: Commands) -> None:
    """A port that somebody else has is named, with what to do, and the process ends with 2."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = commands.run(*_RUN, "--metrics-port", str(port), "--", "true", code=2)
    assert f"--metrics-port {port}:" in done.stderr


def test_one_endpoint_for_all_processes(commands: Commands) -> None:
    """One setting serves the sum of all processes to Prometheus."""
    code = "import script, signal; script._MODES['fork'](4); print('ready', flush=True); signal.pause()"
    command = ("--metrics-port", "0", "--", sys.executable, "-c", code)
    with commands.with_variables(PYTHONPATH=str(APPS)).started(*_RUN, *command) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        address = re.search(r"http://127\.0\.0\.1:\d+/metrics", process.stderr.readline())
        assert address is not None
        assert process.stdout.readline() == "ready\n"
        counted = wait_for_calls(address.group(), 12)
        running = scraped(address.group(), "claude_client_active_calls")
        process.terminate()
        process.communicate(timeout=PATIENCE)
    assert (counted, running) == (12, 0)


def test_exports_too(commands: Commands, api: Simulator, sink: OtlpSink) -> None:
    """With an endpoint in the environment it exports like `configure`, and SIGTERM loses nothing."""
    exporting = commands.with_variables(OTEL_EXPORTER_OTLP_ENDPOINT=sink.grpc_url, OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
    with exporting.started(*_RUN, *_APP, "wait", "3") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGTERM
    assert sink.total("gen_ai.client.operation.duration") == api.ledger().messages_billed == 3
    assert len(sink.spans) == 3


def test_leaves_the_apps_own_setup_alone(commands: Commands, sink: OtlpSink) -> None:
    """Providers that the app sets after it has started are its providers: the run takes no place before it."""
    code = (
        "import anthropic\n"
        "from opentelemetry import metrics, trace\n"
        "from opentelemetry.sdk.metrics import MeterProvider\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "mine = TracerProvider(); trace.set_tracer_provider(mine)\n"
        "meters = MeterProvider(); metrics.set_meter_provider(meters)\n"
        "import script; script.ask(2)\n"
        "assert trace.get_tracer_provider() is mine and metrics.get_meter_provider() is meters\n"
    )
    exporting = commands.with_variables(PYTHONPATH=str(APPS), OTEL_EXPORTER_OTLP_ENDPOINT=sink.http_url)
    done = exporting.run(*_RUN, "--no-report", "--", sys.executable, "-c", code)
    assert done.stderr == ""
    assert sink.requests["traces"] == sink.requests["metrics"] == 0
    # For log records the app has set nothing up, so theirs is the run's.
    assert [record.event_name for _, record in sink.logs] == ["claude.call"] * 2
