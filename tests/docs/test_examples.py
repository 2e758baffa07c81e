"""Every Python example of the documentation runs, and every command and picture that it names exists.

The commands are run by tests/e2e.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from claudescope.cli import app
from claudescope.simulator import Simulator
from tests.docs.pages import PAGES, ROOT, fences

_BLOCKS = [fence for page in PAGES for fence in fences(page)]
_PYTHON = [block for block in _BLOCKS if block.language == "python" and block.file is None]


# Each line names a folder with an example and its environment. A child runs it and ends as any program does.
_RUNNER = """
import json, os, pathlib, sys
import anthropic
for line in sys.stdin:
    folder = pathlib.Path(line.strip())
    if not (child := os.fork()):
        for descriptor in (1, 2):
            os.dup2(os.open(folder / str(descriptor), os.O_WRONLY | os.O_CREAT), descriptor)
        os.environ.update(json.loads((folder / "environment.json").read_text()))
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
exec(compile((folder / "example.py").read_text(), "example.py", "exec"), {"__name__": "__main__"})
"""


@pytest.fixture(scope="module")
def runner() -> Generator[subprocess.Popen[str]]:
    """A process that has imported the SDK, which takes seconds, and forks a child for each example."""
    with subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-c", _RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.parametrize("code", [block.text for block in _PYTHON], ids=[block.place for block in _PYTHON])
def test_python_examples_run(code: str, runner: subprocess.Popen[str], tmp_path: Path) -> None:
    """An example runs as it stands, in a process of its own, against the simulator."""
    assert runner.stdin is not None
    assert runner.stdout is not None
    (tmp_path / "example.py").write_text(code)
    with Simulator(time_scale=0.01) as api:
        environment = {"ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "simulated"}
        (tmp_path / "environment.json").write_text(json.dumps(environment))
        print(tmp_path, file=runner.stdin, flush=True)
        code_at_exit = int(runner.stdout.readline())
    assert (code_at_exit, (tmp_path / "2").read_text()) == (0, "")


def test_every_command_is_documented() -> None:
    """Each command of the command line is in the README."""
    readme = (ROOT / "README.md").read_text()
    names = [command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands]
    assert [name for name in names if f"claudescope {name}" not in readme and f"make {name}" not in readme] == []


def test_pictures_are_there() -> None:
    """Every picture and page that the documentation links to is in the repository, or written by `make docs`."""
    written = ROOT / "docs" / "reference" / "api"  # MkDocs, which writes it, checks these links itself
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
            linked = (page.parent / target).resolve()
            assert linked.exists() or linked.is_relative_to(written), f"{page.name} links to {target}"
