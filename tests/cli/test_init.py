"""`claudescope init`, as a user runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from claudescope.cli.templates import template_files
from claudescope_alerts.spec.model import load_spec
from tests.cli import run_here

_SPEC = Path("observability/claudescope.yaml")


@pytest.mark.parametrize(
    ("ci", "expected"),
    [
        (
            "github",
            {
                ".github/workflows/claudescope.yml",
                ".github/workflows/claudescope-audit.yml",
                ".github/actions/claudescope/action.yml",
            },
        ),
        ("gitlab", {".gitlab/claudescope.yml", ".gitlab-ci.yml"}),
        ("none", set[str]()),
    ],
)
def test_writes_a_starter(tmp_path: Path, ci: str, expected: set[str]) -> None:
    """A spec, the folders' README, Terraform, and the pipeline of the system that was asked for."""
    done = run_here("init", str(tmp_path), "--ci", ci)
    assert (done.returncode, done.stderr) == (0, "")
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    common = {f"observability/{name}" for name in ("README.md", "claudescope.yaml", "terraform/main.tf")}
    assert written == common | expected
    assert {line.split()[1] for line in done.stdout.splitlines() if line.startswith("Written")} == {
        str(tmp_path / name) for name in written
    }


def test_never_overwrites(tmp_path: Path) -> None:
    """What is there stays as it is, and is named; what is missing is added beside it."""
    mine = tmp_path / ".gitlab-ci.yml"
    mine.write_text("stages: [mine]\n")
    (tmp_path / _SPEC).parent.mkdir()
    (tmp_path / _SPEC).symlink_to("elsewhere.yaml")
    done = run_here("init", str(tmp_path), "--ci", "gitlab")
    assert done.returncode == 0
    assert mine.read_text() == "stages: [mine]\n"
    assert (tmp_path / _SPEC).is_symlink()
    assert f"Kept     {mine}. Add this to it: include: {{local: .gitlab/claudescope.yml}}" in done.stdout
    assert f"Kept     {tmp_path / _SPEC}\n" in done.stdout
    assert (tmp_path / ".gitlab" / "claudescope.yml").exists()
    again = run_here("init", str(tmp_path), "--ci", "gitlab")
    assert "Written" not in again.stdout


def test_the_spec_is_in_order(tmp_path: Path) -> None:
    """The starter spec needs no editing."""
    run_here("init", str(tmp_path), "--ci", "none")
    assert [objective.name for objective in load_spec(tmp_path / _SPEC).objectives] == ["availability", "first-token"]


def test_the_examples_are_what_it_writes() -> None:
    """`examples/ci` shows the files to who reads before they install."""
    examples = Path(__file__).parents[2] / "examples" / "ci"
    for ci in ("github", "gitlab"):
        shown = {
            path.relative_to(examples / ci): path.read_text() for path in (examples / ci).rglob("*") if path.is_file()
        }
        assert shown == template_files(ci)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ci", "jenkins"], "--ci jenkins: expected one of github, gitlab, none"),
        (["no/such/folder"], "no/such/folder: the folder does not exist. Create it"),
        ([__file__], f"{__file__}: the folder does not exist"),
    ],
)
def test_bad_input(arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake gets one message and exit code 2, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    done = run_here("init", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"claudescope: {message}" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way(tmp_path: Path) -> None:
    """If a folder can't be created, the message names it."""
    (tmp_path / "observability").write_text("")
    done = run_here("init", str(tmp_path))
    assert done.returncode == 2
    assert f"{tmp_path / 'observability'}: can't create the folder" in done.stderr
