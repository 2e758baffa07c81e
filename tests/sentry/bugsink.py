"""Runs a real Sentry-compatible server, Bugsink, on loopback, once per test session.

It needs an environment of its own under `.cache/`, with a migrated database that each server gets a copy of.
`make components` runs this file to create both; the first test that needs them creates them otherwise.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
import venv
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.components import MissingComponentError

__all__ = ["Bugsink", "Project", "prepare", "running"]

VERSION: Final = "2.6.2"
START_TIMEOUT: Final = 120.0

_ROOT: Final = Path(__file__).resolve().parents[2]
_HOME: Final = _ROOT / ".cache" / f"bugsink-{VERSION}-python{sys.version_info.major}.{sys.version_info.minor}"
_DATABASE: Final = _HOME / "migrated.sqlite3"
_READY: Final = _HOME / "ready.json"
_SETTINGS: Final = """
import os
from bugsink.settings.default import *
from bugsink.settings.default import DATABASES

SECRET_KEY = "of-a-server-that-lives-for-one-test-session-on-loopback"
ALLOWED_HOSTS = ["127.0.0.1"]
DATABASES["default"]["NAME"] = os.environ["BUGSINK_DATABASE"]
DATABASES["default"].setdefault("OPTIONS", {})["init_command"] = "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY;"
DATABASES["snappea"]["NAME"] = os.environ["BUGSINK_DATABASE"] + ".queue"
SNAPPEA = {"TASK_ALWAYS_EAGER": True}
BUGSINK = {"BASE_URL": "http://127.0.0.1", "PHONEHOME": False, "MAX_EVENTS_PER_PROJECT_PER_5_MINUTES": 100_000,
           "MAX_EVENTS_PER_5_MINUTES": 100_000, "MAX_EVENTS_PER_HOUR": 100_000}
"""
_PREPARE: Final = """
import json
from bsmain.models import AuthToken
from teams.models import Team
print(json.dumps({"token": AuthToken.create_full_access().token, "team": str(Team.objects.create(name="tests").id)}))
"""


@dataclass(frozen=True)
class Project:
    """A project of the server: where one test's events go.

    Attributes:
        dsn: What `sentry_sdk.init` takes.
    """

    server: Bugsink
    number: int
    dsn: str

    def issues(self) -> list[dict[str, Any]]:
        """The issues that the server made of the events."""
        return self.server.pages(f"issues/?project={self.number}")

    def events(self) -> list[dict[str, Any]]:
        """The events of all issues as the server stored them, oldest first."""
        # From its database: the API gives one event per request.
        with closing(sqlite3.connect(f"file:{self.server.database}?mode=ro", uri=True)) as database:
            rows = database.execute(
                "SELECT data FROM events_event WHERE project_id = ? ORDER BY project_digest_order", [self.number]
            )
            return [json.loads(data) for (data,) in rows]


@dataclass(frozen=True)
class Bugsink:
    """A server that runs.

    Attributes:
        port: Its port on loopback.
        database: The file of its database.
        token: Opens its API.
        team: The team that projects belong to.
    """

    port: int
    database: Path
    token: str
    team: str

    def project(self, name: str) -> Project:
        """Make a project."""
        self.ask("projects/", {"team": self.team, "name": name})
        (found,) = (project for project in self.pages("projects/") if project["name"] == name)
        dsn = self.ask(f"projects/{found['id']}/")["dsn"]
        # It tells the address that it is configured for; its port is known only now.
        return Project(self, int(found["id"]), dsn.replace("@127.0.0.1/", f"@127.0.0.1:{self.port}/"))

    def pages(self, path: str) -> list[dict[str, Any]]:
        """All results of a list, page by page."""
        results: list[dict[str, Any]] = []
        answer = self.ask(path)
        results += answer["results"]
        while answer["next"]:
            answer = self.ask(path + ("&" if "?" in path else "?") + answer["next"].partition("?")[2])
            results += answer["results"]
        return results

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """One request to the API, and its decoded answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/canonical/0/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - loopback
            return json.load(response)


@contextmanager
def running(folder: Path) -> Generator[Bugsink, None, None]:
    """Run a server, with a database of its own in `folder`."""
    prepared = prepare()
    database = folder / "bugsink.sqlite3"
    shutil.copyfile(_DATABASE, database)
    with socket.socket() as listener:
        # The child takes over a socket that is ours already: whatever listens on the port is it.
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        port = int(listener.getsockname()[1])
        log = folder / "bugsink.log"
        with log.open("wb") as output:
            server = subprocess.Popen(  # noqa: S603 - a command of our own
                [
                    *(_HOME / "venv/bin/python", "-m", "gunicorn", "bugsink.wsgi", "--workers=1", "--threads=4"),
                    *(f"--bind=fd://{listener.fileno()}", "--no-control-socket"),
                ],
                **_surroundings(database),
                pass_fds=[listener.fileno()],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    try:
        bugsink = Bugsink(port, database, prepared["token"], prepared["team"])
        _await(bugsink, server, log)
        yield bugsink
    finally:
        # Its database goes with it: nothing is worth a graceful end.
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _await(bugsink: Bugsink, server: subprocess.Popen[Any], log: Path) -> None:
    until = time.monotonic() + START_TIMEOUT
    while True:
        try:
            bugsink.ask("projects/")
        except OSError as error:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"Bugsink did not start ({error}):\n{log.read_text()[-3000:]}") from error
            time.sleep(0.05)
        else:
            return


def _surroundings(database: Path) -> dict[str, Any]:
    own = {"BUGSINK_DATABASE": str(database), "DJANGO_SETTINGS_MODULE": "bugsink_conf", "PYTHONPATH": str(_HOME)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE", "COV_", "PYTHON"))}
    return {"cwd": _HOME, "env": {**kept, **own}}


def prepare() -> dict[str, str]:
    """Create the environment and the migrated database unless they exist. Processes wait for each other.

    Returns:
        What a server needs to know: the token of its API and the team of its projects.

    Raises:
        MissingComponentError: Bugsink could not be installed.
    """
    _HOME.mkdir(parents=True, exist_ok=True)
    with (_HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _READY.exists():
            _prepare()
    answer: dict[str, str] = json.loads(_READY.read_text())
    return answer


def _prepare() -> None:
    venv.create(_HOME / "venv", clear=True, with_pip=True)
    python = str(_HOME / "venv/bin/python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        _run([*install, "--no-deps", f"bugsink=={VERSION}"])
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise MissingComponentError(
            f"Bugsink is missing: run `make components` with a package index ({reason})"
        ) from error
    # Its lower bound of certifi is often ahead of what an index has, and it needs none of what is new there.
    listing = _run([python, "-c", "from importlib.metadata import requires; print(*requires('bugsink'), sep='\\n')"])
    _run([*install, *(line for line in listing.splitlines() if not line.startswith("certifi")), "certifi"])
    (_HOME / "bugsink_conf.py").write_text(_SETTINGS)
    for leftover in _HOME.glob("migrated.sqlite3*"):
        leftover.unlink()
    manage = [str(_HOME / "venv/bin/bugsink-manage")]
    _run([*manage, "migrate", "--verbosity=0"])
    _READY.write_text(_run([*manage, "shell", "--verbosity=0", "--command", _PREPARE]).splitlines()[-1])


def _run(command: list[str]) -> str:
    done = subprocess.run(  # noqa: S603 - a command of our own
        command, **_surroundings(_DATABASE), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command}: exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return str(done.stdout)


if __name__ == "__main__":
    try:
        prepare()
    except MissingComponentError as missing:
        sys.stderr.write(f"components: {missing}; the tests that run it are skipped\n")
