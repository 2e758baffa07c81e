"""What the documentation shows works: every Python example runs, every command and make target exists."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from claudescope.cli import app
from claudescope.simulator import Simulator
from tests.cli import run_here

_ROOT = Path(__file__).parents[2]
_PAGES = [_ROOT / "README.md", *sorted((_ROOT / "docs").glob("**/*.md"))]
_TUTORIAL = "docs/tutorial.md"  # which is followed to the letter by a test of its own, in tests/e2e


def _fences(language: str) -> list[tuple[str, str]]:
    """Every fenced block of a language, with the page and line that it is at."""
    return [
        (f"{page.relative_to(_ROOT)}:{(token.map or [0])[0] + 1}", token.content)
        for page in _PAGES
        for token in MarkdownIt().parse(page.read_text())
        if token.type == "fence" and token.info == language
    ]


_PYTHON = _fences("python")
_COMMANDS = [
    (place, line.removeprefix("$ ").partition("  #")[0].strip())
    for place, block in _fences("console")
    if not place.startswith(_TUTORIAL)
    for line in block.splitlines()
    if line.startswith("$ ")
]


@pytest.mark.parametrize("code", [code for _, code in _PYTHON], ids=[place for place, _ in _PYTHON])
def test_python_examples_run(code: str) -> None:
    """An example runs as it stands, in a process of its own, against the simulator."""
    with Simulator(time_scale=0.01) as api:
        environment = {**os.environ, "ANTHROPIC_BASE_URL": api.url, "ANTHROPIC_API_KEY": "simulated"}
        done = subprocess.run(  # noqa: S603 - our own documentation
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
        )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("place", "command"), _COMMANDS, ids=[f"{place} {command}" for place, command in _COMMANDS])
def test_commands_exist(place: str, command: str) -> None:
    """A command that is shown exists, with the options that it is shown with."""
    words = [word for word in shlex.split(command) if "=" not in word or word.startswith("-")]
    if words[0] == "make":
        targets = re.findall(r"^([a-z-]+):.*##", (_ROOT / "Makefile").read_text(), re.MULTILINE)
        assert words[1] in targets
    elif words[0] == "claudescope":
        shown = run_here(*itertools.takewhile(_is_no_option, words[1:]), "--help")
        assert shown.returncode == 0
        help_text = shown.stdout
        options = [word for word in words if word.startswith("--")]
        assert [option for option in options if option not in help_text] == []
    else:
        assert words[0] in {"opentelemetry-instrument", "pip", "python"}, place


def _is_no_option(word: str) -> bool:
    return not word.startswith("-")


def test_every_command_is_documented() -> None:
    """Each command of the command line is in the README."""
    readme = (_ROOT / "README.md").read_text()
    names = [command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands]
    assert [name for name in names if f"claudescope {name}" not in readme and f"make {name}" not in readme] == []


def test_pictures_are_there() -> None:
    """Every picture and page that the documentation links to is in the repository."""
    for page in _PAGES:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
