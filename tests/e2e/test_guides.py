"""Every other command that the documentation shows, run as it stands, in the repository of a team.

But for what a test must not do: nothing is installed, who is not on this machine has a stand-in, ports are free ones,
and the targets of the Makefile are only looked up.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import claudescope.cli.templates
from claudescope.simulator import Simulator
from tests.alerts.conftest import program
from tests.dashboards.grafana import TOKEN, Grafana
from tests.docs.pages import PAGES, ROOT, TUTORIAL, Fence, fences, with_free_ports
from tests.servers import run_server, serving, wait_for

_BLOCKS = [block for page in PAGES if page != TUTORIAL for block in fences(page) if block.language in {"console", "sh"}]
_SERVES = re.compile(r"--(?:metrics-)?port (\d+)")
_MAY_FIND = re.compile(r"claudescope (audit|doctor|dashboards diff|alerts diff)\b")
"""What ends with 1 where it has found something."""

_FILES = {
    "app.py": "from anthropic import Anthropic, APIError\n"
    "try:\n"
    "    words = [{'role': 'user', 'content': 'Hello'}]\n"
    "    Anthropic().messages.create(model='claude-haiku-5-5', max_tokens=9, messages=words)\n"
    "except APIError as error:\n"
    "    print(error)\n",
    "shop/__init__.py": "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'ok']\n",
    "shop/main.py": "import claudescope\nclaudescope.instrument()\n",
    "conftest.py": "",  # so that tests find the app
    "tests/test_app.py": "def test_app():\n    import app\n",
    "prometheus.yml": "rule_files: [rules/*.yml]\n",
    # Checks that there is what a reader is told to install.
    "bin/pip": f"#!{sys.executable}\n"
    "import sys\n"
    "from importlib.metadata import metadata\n"
    "from packaging.requirements import Requirement\n"
    "known = metadata('claudescope').get_all('Provides-Extra')\n"
    "for wanted in map(Requirement, sys.argv[2:]):\n"
    "    assert wanted.name == 'claudescope' and wanted.extras <= set(known), wanted\n",
    "bin/make": f'#!/bin/sh\nexec /usr/bin/make --silent --dry-run -C {shlex.quote(str(ROOT))} "$@" >/dev/null\n',
}


async def _sentry(request: Request) -> JSONResponse:
    """Takes an alert as Sentry's API of alerts does, as far as it is documented."""
    alert = await request.json()
    good = request.headers.get("Authorization") == "Bearer token" and {"name", "triggers"} <= set(alert)
    return JSONResponse({"id": "1"}, 201) if good else JSONResponse({"detail": "refused"}, 400)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[str, str], None, None]:
    """What the pages call by a name of somebody else's, and where it is here."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "rules").mkdir()
    (folder / "prometheus.yml").write_text(_FILES["prometheus.yml"])
    prometheus: list[str | Path] = [
        program("bookworm", "prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--web.listen-address=127.0.0.1:0",
        "--web.enable-lifecycle",
    ]
    with ExitStack() as stack:
        url = stack.enter_context(run_server(prometheus, folder / "log"))
        wait_for("Prometheus is ready", lambda: "ready to receive" in (folder / "log").read_text(encoding="utf-8"))
        yield {
            "http://localhost:9090": url,
            "/etc/prometheus/rules": str(folder / "rules"),
            "https://grafana.example.com": stack.enter_context(Grafana().running()),
            "https://sentry.io": stack.enter_context(
                serving(Route("/api/0/organizations/{organization}/workflows/", _sentry, methods=["POST"]))
            ),
            "GRAFANA_TOKEN=…": f"GRAFANA_TOKEN={TOKEN}",
        }


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path, None, None]:
    """A team's repository, with the variables and the tools that they have."""
    spec = claudescope.cli.templates.template_files("none")[Path("observability/claudescope.yaml")]
    for name, text in {**_FILES, "claudescope.yaml": spec}.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)
    git = ["git", "-c", "user.name=Team", "-c", "user.email=team@example.com"]
    for command in (
        ["init", "--quiet"],
        ["commit", "--quiet", "--allow-empty", "--message", "Begin"],
        ["update-ref", "refs/remotes/origin/main", "HEAD"],
    ):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)  # noqa: S603 # ours
    for name in ("promtool", "amtool"):
        (tmp_path / "bin" / name).symlink_to(program("bookworm", name))
    for name in os.environ:
        if name.startswith(("OTEL_", "CLAUDESCOPE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv(
        "PATH", os.pathsep.join([str(tmp_path / "bin"), str(Path(sys.executable).parent), "/usr/bin", "/bin"])
    )
    with Simulator(time_scale=0.01) as api:
        for name, value in {
            "ANTHROPIC_BASE_URL": api.url,
            "ANTHROPIC_API_KEY": "simulated",
            "GRAFANA_TOKEN": TOKEN,
            "SENTRY_TOKEN": "token",
            "SENTRY_ORGANIZATION": "team",
            # Nobody listens at the port where OTLP is sent by default.
            "OTEL_TRACES_EXPORTER": "console",
            "OTEL_METRICS_EXPORTER": "console",
            "OTEL_LOGS_EXPORTER": "console",
            "GUNICORN_CMD_ARGS": "--bind 127.0.0.1:0",
        }.items():
            monkeypatch.setenv(name, value)
        yield tmp_path


def _is_up(command: str, log: Path) -> bool:
    """Whether its port answers and, behind `claudescope run`, the server that it became has said so."""
    if "gunicorn" in command and "Listening at" not in log.read_text(encoding="utf-8"):
        return False
    try:
        socket.create_connection(("127.0.0.1", int(re.findall(_SERVES, command)[0])), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def _served(command: str, folder: Path) -> Generator[None]:
    """Run what goes on until somebody presses Ctrl-C."""
    log = folder / "log"
    with (
        log.open("w") as output,
        subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=folder, stdout=output, stderr=output) as process,  # noqa: S603, S607 # ours
    ):
        try:
            wait_for(f"{command} serves", lambda: process.poll() is not None or _is_up(command, log), log)
            assert process.poll() is None, log.read_text(encoding="utf-8")
            yield
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(30)
    assert code in {0, 130, -signal.SIGINT}, log.read_text(encoding="utf-8")


def _run(script: str, folder: Path) -> None:
    done = subprocess.run(  # noqa: S603 # ours
        ["bash", "-c", f"set -e -o pipefail\n{script}"],  # noqa: S607
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    expected = {0, 1} if _MAY_FIND.search(script) else {0}
    assert done.returncode in expected, f"{script}\n{done.stdout}{done.stderr}"


@pytest.mark.timeout(180)
@pytest.mark.parametrize("block", _BLOCKS, ids=lambda block: block.place)
def test_commands_work(block: Fence, repository: Path, elsewhere: dict[str, str]) -> None:
    """Each does what it says: it ends well, or serves until it is stopped."""
    if block.language == "sh":  # on what this makes
        _run("claudescope sentry build --out .", repository)
    text = block.text
    for name, here in elsewhere.items():
        text = text.replace(name, here)
    text = with_free_ports(text, r"(?<=port )\d+")
    block = Fence(block.place, block.language, block.file, text)
    with ExitStack() as stack:
        for command in block.commands if block.language == "console" else [text]:
            if _SERVES.search(command):
                stack.enter_context(_served(command, repository))
            else:
                _run(command, repository)
