"""Known findings: fingerprints and the baseline file."""

from __future__ import annotations

from pathlib import Path

import pytest

from claudescope import BadInputError
from claudescope.audit.baseline import fingerprints, read_baseline, write_baseline
from claudescope.audit.model import Finding, SourceFile
from tests.audit.conftest import Write


def _names(text: str, *lines: int, path: str = "app.py", rule: str = "no-timeout") -> list[str]:
    findings = [Finding(path, line, rule, "warning", "high", f"on line {line}") for line in lines]
    return list(fingerprints(findings, [SourceFile(path, text)]).values())


def test_a_fingerprint_survives_moves() -> None:
    """Lines above, another indentation and another message change nothing."""
    assert _names("call(a)\n", 1) == _names("# new\n\n\n    call(a)\n", 4)


def test_a_fingerprint_tells_findings_apart() -> None:
    """Another line, rule or file is another finding; equal lines are numbered."""
    names = [
        *_names("call(a)\ncall(a)\ncall(b)\n", 1, 2, 3),
        *_names("call(a)\n", 1, rule="broad-except"),
        *_names("call(a)\n", 1, path="other.py"),
    ]
    assert len(set(names)) == 5
    assert [name.rpartition(":")[2] for name in names[:3]] == ["1", "2", "1"]


def test_notebooks_and_unread_files() -> None:
    """A finding in a notebook is named by its line of source; one about a file that was not read by its file."""
    finding = Finding("a.ipynb", 40, "no-timeout", "warning", "high", "x")
    moved = Finding("a.ipynb", 60, "no-timeout", "warning", "high", "x")
    named = fingerprints([finding], [SourceFile("a.ipynb", "x\ncall()\n", (39, 40, 40))])
    assert named[finding] == fingerprints([moved], [SourceFile("a.ipynb", "call()\n", (60, 60))])[moved]
    assert fingerprints([finding], [])[finding].endswith(":1")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Round trip, and the same findings write the same file."""
    finding = Finding("ü.py", 1, "no-timeout", "warning", "high", "x")
    named = fingerprints([finding], [SourceFile("ü.py", "call()\n")])
    file = tmp_path / "baseline.json"
    write_baseline(file, named)
    first = file.read_bytes()
    assert read_baseline(file) == set(named.values())
    write_baseline(file, named)
    assert file.read_bytes() == first


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "can't be read: No such file or directory"),
        (b"{\n,", "baseline.json:2: not valid JSON"),
        (b"\xff", "not UTF-8"),
        (b"[]", "expected a baseline of version 1"),
        (b'{"version": 2}', "expected a baseline of version 1"),
        (b'{"version": 1}', "expected a list of findings"),
        (b'{"version": 1, "findings": [{"fingerprint": 1}]}', "expected a list of findings"),
    ],
)
def test_bad_files(write: Write, tmp_path: Path, content: bytes | None, message: str) -> None:
    """The message names the file, and the option that writes it again."""
    if content is not None:
        write("baseline.json", content)
    with pytest.raises(BadInputError) as caught:
        read_baseline(tmp_path / "baseline.json")
    assert str(caught.value).startswith(f"--baseline {tmp_path / 'baseline.json'}")
    assert message in str(caught.value)
    assert str(caught.value).endswith("Write it again with --write-baseline")
