"""`claudescope audit`, as a user runs it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from tests.audit.conftest import Write
from tests.cli import run_here

_UNHANDLED = """\
from anthropic import Anthropic

client = Anthropic()
message = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[])
print(message)
"""


def test_a_whole_run(write: Write, tmp_path: Path) -> None:
    """In a process of its own: the call is listed, the finding is told, no code runs and the SDK is not loaded."""
    write("app.py", f"{_UNHANDLED}raise SystemExit('this has run')\n")
    code = (
        "import sys; from claudescope.cli import app; from claudescope.audit.scan import find_target, scan\n"
        "try:\n    app(['audit', '.', '--format', 'json'])\n"
        "finally:\n    print(sorted({'anthropic', 'claudescope.probe'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "[]\n")
    data = json.loads(done.stdout)
    assert [(call["path"], call["line"], call["handled"]) for call in data["calls"]] == [("app.py", 4, "none")]
    assert "unhandled-call" in [finding["rule"] for finding in data["findings"]]


@pytest.mark.usefixtures("simple_analysis")
class TestWithASimpleAnalysis:
    """What the command does around the analysis."""

    @pytest.mark.parametrize(
        ("options", "code"),
        [
            ([], 1),
            (["--fail-on", "any"], 1),
            (["--fail-on", "none"], 0),
            (["--fail-on", "no-timeout"], 0),
            (["--fail-on", "no-timeout, unhandled-call"], 1),
        ],
    )
    def test_exit_codes(self, write: Write, tmp_path: Path, options: list[str], code: int) -> None:
        """1 only if a finding has a rule that was named."""
        write("app.py", "create()\n")
        done = run_here("audit", str(tmp_path), *options)
        assert (done.returncode, done.stderr) == (code, "")
        assert "app.py:1  error  unhandled-call" in done.stdout

    def test_settings_say_what_fails(self, write: Write, tmp_path: Path) -> None:
        """The option takes precedence over the settings."""
        write("pyproject.toml", '[tool.claudescope.audit]\nfail-on = ["no-timeout"]\n')
        write("app.py", "create()\n")
        assert run_here("audit", str(tmp_path)).returncode == 0
        assert run_here("audit", str(tmp_path), "--fail-on", "unhandled-call").returncode == 1

    def test_clean(self, write: Write, tmp_path: Path) -> None:
        """Without a finding the exit code is 0."""
        write("app.py", "x = 1\n")
        done = run_here("audit", str(tmp_path))
        assert (done.returncode, done.stdout, done.stderr) == (
            0,
            "0 calls to the Claude API in 1 file (2 lines).\n0 findings.\n",
            "",
        )

    def test_nothing_to_scan(self, tmp_path: Path) -> None:
        """A folder without Python is said, so that a misspelt setting is noticed."""
        done = run_here("audit", str(tmp_path))
        assert done.returncode == 0
        assert "claudescope: no Python file found." in done.stderr

    @pytest.mark.parametrize("name", ["table", "json", "sarif", "github", "markdown"])
    def test_output(self, write: Write, tmp_path: Path, name: str) -> None:
        """A file gets what standard output would get."""
        write("app.py", "create()\n")
        shown = run_here("audit", str(tmp_path), "--format", name).stdout
        file = tmp_path / "result"
        done = run_here("audit", str(tmp_path), "--format", name, "--output", str(file))
        assert (done.returncode, done.stdout) == (1, "")
        assert file.read_text(encoding="utf-8") == shown

    def test_baseline(self, write: Write, tmp_path: Path) -> None:
        """Written once, it silences what is there; what is mended is said; what is new fails."""
        write("app.py", "a.create()\nb.create()\n")
        known = tmp_path / "known.json"
        done = run_here("audit", str(tmp_path), "--baseline", str(known), "--write-baseline")
        assert (done.returncode, done.stdout) == (0, "")
        assert f"2 findings written to {known}" in done.stderr
        assert run_here("audit", str(tmp_path), "--baseline", str(known)).returncode == 0
        write("app.py", "b.create()\nc.create()\n")
        done = run_here("audit", str(tmp_path), "--baseline", str(known))
        assert done.returncode == 1
        assert "app.py:2" in done.stdout
        assert f"1 entry of {known} matches no finding any more" in done.stderr

    @pytest.mark.parametrize(
        "options", [["--diff"], ["--diff", "HEAD"], ["--diff=HEAD"], ["--diff", "--format", "table"], ["--diff", "."]]
    )
    def test_diff(
        self,
        write: Write,
        tmp_path: Path,
        repository: Callable[..., str],
        monkeypatch: pytest.MonkeyPatch,
        options: list[str],
    ) -> None:
        """The commit can be left out: before an option, a path, or at the end."""
        write("app.py", "a.create()\n")
        repository("add", "--all")
        repository("commit", "--quiet", "--message", "Begin")
        monkeypatch.chdir(tmp_path)
        assert run_here("audit", *options).returncode == 0
        write("app.py", "a.create()\nb.create()\n")
        done = run_here("audit", *options)
        assert done.returncode == 1
        assert "1 on lines that are not new" in done.stdout

    def test_a_bar_on_a_terminal(self, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """On a terminal the scan shows how far it is, on standard error."""
        write("app.py", "x = 1\n")
        errors = io.StringIO()
        monkeypatch.setattr(
            sys.modules["claudescope.cli.audit"],
            "Console",
            lambda **_: Console(file=errors, force_terminal=True, width=80),
        )
        done = run_here("audit", str(tmp_path), "--format", "json")
        assert json.loads(done.stdout)["calls"] == []
        assert "Analysing" in errors.getvalue()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no/such"], "no/such: no such file or folder. Give a file or a folder of your project"),
        (["x" * 5000], "no such file or folder"),
        (["notes.md"], "notes.md: not Python"),
        ([".", "--format", "xml"], "--format xml: expected one of table, json, sarif, github, markdown"),
        (
            [".", "--fail-on", "no-timeut"],
            "--fail-on no-timeut: there is no rule 'no-timeut'. Did you mean 'no-timeout'?",
        ),
        ([".", "--fail-on", ""], "--fail-on : there is no rule ''"),
        ([".", "--fail-on", "any,no-timeout"], "there is no rule 'any'"),
        ([".", "--baseline", "gone.json"], "--baseline gone.json: can't be read: No such file or directory"),
        ([".", "--write-baseline"], "--write-baseline: name the file to write with --baseline FILE"),
        ([".", "--baseline", "x", "--write-baseline", "--diff"], "--write-baseline: can't be combined with --diff"),
        ([".", "--baseline", "no/such/x", "--write-baseline"], "no/such/x: can't be written"),
        ([".", "--output", "no/such/file"], "--output no/such/file: the folder"),
        ([".", "--output", "."], ".: can't be written"),
        ([".", "--diff", "nope"], "--diff nope: "),
    ],
)
def test_bad_input(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    """A mistake gets one message and exit code 2, and nothing is printed or written."""
    write("app.py", "x = 1\n")
    write("notes.md", "x\n")
    monkeypatch.chdir(tmp_path)
    done = run_here("audit", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app.py", "notes.md"]


def test_without_the_extra(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `pathspec` the message says what to install."""
    write("app.py", "x = 1\n")
    monkeypatch.setitem(sys.modules, "pathspec", None)
    done = run_here("audit", str(tmp_path))
    assert done.returncode == 2
    assert "claudescope audit needs the package 'pathspec'" in done.stderr
    assert "pip install 'claudescope[audit]'" in done.stderr
