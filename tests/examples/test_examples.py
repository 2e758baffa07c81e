"""Every example runs as its README says, with claudescope and without, and the report agrees with what was served."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from claudescope.simulator import Simulator

_EXAMPLES = Path(__file__).parents[2] / "examples"
_PATIENCE = 120.0
_RUN = (sys.executable, "-m", "claudescope", "run")
_WITH = pytest.mark.parametrize(
    "instrumented", [pytest.param(False, marks=pytest.mark.release), True], ids=["without", "with"]
)


@pytest.fixture
def api() -> Generator[Simulator, None, None]:
    """A simulated API that answers at once."""
    with Simulator(time_scale=0.01) as simulator:
        yield simulator


def _command(instrumented: bool, report: Path, *words: str) -> list[str]:
    return [*_RUN, "--no-report", "--json", str(report), "--", *words] if instrumented else [*words]


def _environment(api: Simulator) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "CLAUDESCOPE_"))}
    return {
        **kept,
        "ANTHROPIC_BASE_URL": api.url,
        "ANTHROPIC_API_KEY": "simulated",
        "POLL_SECONDS": "0.05",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "default",
    }


def _run(api: Simulator, command: list[str], stdin: str = "") -> list[str]:
    done = subprocess.run(  # noqa: S603 - our own examples
        command, input=stdin, capture_output=True, text=True, check=False, cwd=_EXAMPLES, env=_environment(api),
        timeout=_PATIENCE,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@contextmanager
def _served(api: Simulator, command: list[str]) -> Generator[str, None, None]:
    """Run a server, and give its URL once it has said it; it must end well at SIGTERM."""
    with subprocess.Popen(  # noqa: S603 - our own examples
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=_EXAMPLES, env=_environment(api)
    ) as process:
        assert process.stderr is not None
        lines: list[str] = []
        found = None
        for line in process.stderr:
            lines.append(line)
            found = re.search(r"(?:running on|Listening at:) (http://127\.0\.0\.1:\d+)", line)
            if found is not None:
                break
        assert found is not None, "".join(lines)
        drain = threading.Thread(target=lines.extend, args=(process.stderr,))
        drain.start()
        try:
            yield found.group(1)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_PATIENCE)
            drain.join(_PATIENCE)
        assert process.returncode in {0, -signal.SIGTERM}, "".join(lines)


def _post(url: str, body: dict[str, str]) -> str:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=_PATIENCE) as response:  # noqa: S310 - loopback
        text: str = response.read().decode()
        return text


def _report(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(path.read_text())
    return told


@_WITH
def test_chat_service(api: Simulator, tmp_path: Path, instrumented: bool) -> None:
    """The chat service streams answers."""
    report = tmp_path / "report.json"
    server = (sys.executable, "-m", "uvicorn", "chat_service:app", "--port", "0")
    with _served(api, _command(instrumented, report, *server)) as url:
        answers = [_post(f"{url}/chat", {"message": f"Question {n}"}) for n in range(3)]
    assert all(answers)
    assert not any("Sorry" in answer for answer in answers)
    assert api.ledger().messages_billed == 3
    if instrumented:
        assert (_report(report)["calls"], _report(report)["outcomes"]["ok"]) == (3, 3)


@_WITH
def test_worker(api: Simulator, tmp_path: Path, instrumented: bool) -> None:
    """The worker summarises every line."""
    report = tmp_path / "report.json"
    lines = _run(api, _command(instrumented, report, sys.executable, "worker.py"), "one\n\ntwo\nthree\n")
    assert len(lines) == api.ledger().messages_billed == 3
    if instrumented:
        assert _report(report)["calls"] == 3


@_WITH
def test_batch_job(api: Simulator, tmp_path: Path, instrumented: bool) -> None:
    """The job reads a result for every review."""
    report = tmp_path / "report.json"
    lines = _run(api, _command(instrumented, report, sys.executable, "batch_job.py"))
    assert sorted(lines) == ["r1 succeeded", "r2 succeeded", "r3 succeeded"]
    assert api.ledger().batch_messages_billed == 3
    if instrumented:
        told = _report(report)
        assert told["calls"] == sum(api.ledger().responses.values())


def test_notebook(api: Simulator) -> None:
    """The notebook prints what its questions came to."""
    text = "\n".join(_run(api, [sys.executable, "notebook.py"]))
    assert text.count(" tokens") >= 3
    assert "notebook" in text.partition("Why do cats purr?")[2]


@_WITH
def test_flask_app(api: Simulator, tmp_path: Path, instrumented: bool) -> None:
    """The web app answers from all its workers, and one report sums them up."""
    report = tmp_path / "report.json"
    server = (sys.executable, "-m", "gunicorn", "-w", "2", "-b", "127.0.0.1:0", "flask_app:app")
    with _served(api, _command(instrumented, report, *server)) as url:
        answers = [json.loads(_post(f"{url}/translate", {"text": "Good day", "to": "French"})) for _ in range(6)]
    assert all(answer["text"] for answer in answers)
    assert api.ledger().messages_billed == 6
    if instrumented:
        assert (_report(report)["calls"], _report(report)["outcomes"]["ok"]) == (6, 6)


def test_every_example_is_listed() -> None:
    """The README names every example, and every one has a test here."""
    readme, tests = (_EXAMPLES / "README.md").read_text(), Path(__file__).read_text()
    names = sorted(path.name for path in _EXAMPLES.glob("*.py"))
    assert names
    assert [name for name in names if f"]({name})" not in readme or name.removesuffix(".py") not in tests] == []
