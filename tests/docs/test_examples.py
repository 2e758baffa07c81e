"""Every Python example of the documentation runs, and every command and picture that it names exists.

The commands are run by tests/e2e.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from claudescope.cli import app
from claudescope.simulator import Simulator
from tests.docs.pages import PAGES, ROOT, fences

_BLOCKS = [fence for page in PAGES for fence in fences(page)]
_PYTHON = [block for block in _BLOCKS if block.language == "python" and block.file is None]


@pytest.mark.parametrize("code", [block.text for block in _PYTHON], ids=[block.place for block in _PYTHON])
def test_python_examples_run(code: str) -> None:
    """An example runs as it stands, in a process of its own, against the simulator."""
    with Simulator(time_scale=0.01) as api:
        environment = {**os.environ, "ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "simulated"}
        done = subprocess.run(  # noqa: S603 - our own documentation
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
        )
    assert (done.returncode, done.stderr) == (0, "")


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
