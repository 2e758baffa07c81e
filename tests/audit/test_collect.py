"""Which files an audit reads, and what it says about those that it can't read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from claudescope import BadInputError
from claudescope.audit.collect import MAX_BYTES, Collection, Exclusions, collect, find_files
from claudescope.audit.gitignore import patterns
from tests.audit.conftest import Write


def _found(root: Path, *paths: Path, exclude: tuple[str, ...] = ()) -> list[str]:
    exclusions = Exclusions(root, patterns(exclude))
    return [file.relative_to(root).as_posix() for file in find_files(paths or (root,), exclusions)]


def _collected(root: Path) -> Collection:
    return collect(find_files([root], Exclusions(root, patterns([]))), root)


def test_finds_python_and_notebooks(write: Write, tmp_path: Path) -> None:
    """Source, stubs and notebooks at any depth, in order; nothing else, and no cache or environment."""
    wanted = ["a/b/c.py", "a/types.pyi", "app.py", "gui.pyw", "trial.ipynb"]
    left = ["notes.md", "__pycache__/x.py", ".git/hook.py", "env/pyvenv.cfg", "env/lib/x.py", "node_modules/x.py"]
    left += [".tox/x.py", ".ipynb_checkpoints/trial.ipynb", "lib/site-packages/x.py"]
    for name in [*wanted, *left]:
        write(name)
    assert _found(tmp_path) == wanted


def test_git_decides(write: Write, tmp_path: Path, repository: Callable[..., str]) -> None:
    """The files are those that git itself does not ignore: nested files, negation, folders, `.git/info/exclude`."""
    write(".gitignore", "build/\n*.gen.py\n!keep.gen.py\n/top.py\nsub/*\n!sub/kept.py\n# a comment\n[\n!\n")
    write("inner/.gitignore", "*.py\n!good.py\n")
    write(".git/info/exclude", "secret.py\n")
    names = ["app.py", "top.py", "deep/top.py", "build/x.py", "deep/build/y.py", "a.gen.py", "keep.gen.py"]
    names += ["sub/kept.py", "sub/dropped.py", "inner/bad.py", "inner/good.py", "inner/deep/bad.py", "secret.py"]
    for name in names:
        write(name)
    shown = repository("ls-files", "--others", "--exclude-standard", "--cached", "*.py")
    assert _found(tmp_path) == sorted(shown.split())


def test_what_is_named_is_read(write: Write, tmp_path: Path, repository: Callable[..., str]) -> None:
    """A file or folder that somebody names is read even if git ignores it; what its own patterns ignore is not."""
    assert repository("status", "--short") == ""
    write(".gitignore", "vendor/\n*.tmp.py\n")
    write("vendor/.gitignore", "skipped.py\n")
    for name in ("vendor/a.py", "vendor/skipped.py", "vendor/x.tmp.py", "b.tmp.py"):
        write(name)
    assert _found(tmp_path) == []
    assert _found(tmp_path, tmp_path / "vendor") == ["vendor/a.py"]
    assert _found(tmp_path, tmp_path / "b.tmp.py", tmp_path / "vendor" / "skipped.py") == [
        "b.tmp.py",
        "vendor/skipped.py",
    ]


def test_exclusions(write: Write, tmp_path: Path) -> None:
    """Patterns of the settings apply everywhere, to files that are named too, as pre-commit names them."""
    for name in ("app.py", "gen/a.py", "gen/sub/b.py", "x_pb2.py"):
        write(name)
    assert _found(tmp_path, exclude=("gen/", "*_pb2.py")) == ["app.py"]
    named = [tmp_path / "gen", tmp_path / "x_pb2.py", tmp_path / "app.py"]
    assert _found(tmp_path, *named, exclude=("gen/", "*_pb2.py")) == ["app.py"]


def test_each_file_once(write: Write, tmp_path: Path) -> None:
    """Paths that overlap, a link to a file and a link to its own folder do not count a file twice, and end."""
    app = write("src/app.py")
    (tmp_path / "src" / "loop").symlink_to(tmp_path / "src", target_is_directory=True)
    (tmp_path / "src" / "same.py").symlink_to(app)
    assert _found(tmp_path, tmp_path, tmp_path / "src", app) == ["src/app.py"]


@pytest.mark.parametrize(
    ("content", "severity", "line", "message"),
    [
        (b"x = 1\ny = 'Gr\xfc\xdfe'\n", "warning", 2, "The file is not utf-8: invalid start byte. Save it as UTF-8"),
        (b"# -*- coding: nonsense -*-\n", "warning", 1, "unknown encoding: nonsense"),
        (b"\xef\xbb\xbf# coding: latin-1\n", "warning", 1, "encoding problem"),
        ("x = 'ü'\n".encode("utf-16"), "warning", 1, "Save"),
        (b"\x7fELF\0\0\0", "note", 1, "The file is binary and was skipped"),
        (b"#" * (MAX_BYTES + 1), "note", 1, "The file has more than 2,000,000 bytes and was skipped"),
    ],
    ids=["latin-1", "unknown encoding", "contradictory encoding", "utf-16", "binary", "huge"],
)
def test_a_file_that_cannot_be_read_is_a_finding(
    write: Write, tmp_path: Path, content: bytes, severity: str, line: int, message: str
) -> None:
    """It is told with its line and what to do, and the other files are read."""
    write("app.py", "x = 1\n")
    write("bad.py", content)
    collection = _collected(tmp_path)
    assert [file.path for file in collection.files] == ["app.py"]
    (finding,) = collection.findings
    assert (finding.path, finding.rule, finding.line) == ("bad.py", "unreadable-file", line)
    assert finding.severity == severity
    assert message in finding.message


def test_notebooks(write: Write, tmp_path: Path) -> None:
    """A broken cell and a file that is no notebook are told; one in another language is left out."""
    cells = '{"cell_type": "code", "source": "x = 1"},\n{"cell_type": "code", "source": "def x("}'
    write("a.ipynb", f'{{"cells": [\n{cells}]}}')
    write("b.ipynb", '{"cells": [], "metadata": {"kernelspec": {"language": "R"}}}')
    write("c.ipynb", "\n[")
    collection = _collected(tmp_path)
    assert [(file.path, file.text, file.line_map) for file in collection.files] == [("a.ipynb", "x = 1\n\n", (2, 3, 3))]
    assert [(finding.path, finding.line, finding.severity) for finding in collection.findings] == [
        ("a.ipynb", 3, "note"),
        ("c.ipynb", 2, "warning"),
    ]
    assert "The cell is not valid Python and was skipped" in collection.findings[0].message


def test_links_and_pipes(write: Write, tmp_path: Path) -> None:
    """A link to nothing, to itself or to a pipe is told; a pipe is never opened."""
    write("app.py")
    (tmp_path / "broken.py").symlink_to("gone.py")
    (tmp_path / "itself.py").symlink_to("itself.py")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "to_pipe.py").symlink_to("pipe.py")
    collection = _collected(tmp_path)
    assert [file.path for file in collection.files] == ["app.py"]
    assert [finding.path for finding in collection.findings] == ["broken.py", "itself.py", "to_pipe.py"]


def test_no_permission(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read is told."""
    write("secret.py")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")  # which no file mode does to root

    monkeypatch.setattr(Path, "open", refuse)
    assert "can't be read: Permission denied" in _collected(tmp_path).findings[0].message
    monkeypatch.setattr(os, "scandir", refuse)
    (finding,) = _collected(tmp_path).findings
    assert (finding.path, finding.message) == (".", "The folder can't be read. Check its permissions")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("x = 'ü'\n".encode(), "x = 'ü'\n"),
        (b"\xef\xbb\xbfx = 1\n", "x = 1\n"),
        (b"# -*- coding: latin-1 -*-\nx = '\xfc'\n", "# -*- coding: latin-1 -*-\nx = 'ü'\n"),
        (b"x = 1\r\ny = 2\rz = 3\n", "x = 1\ny = 2\nz = 3\n"),
        (b"", ""),
    ],
)
def test_source_is_read_as_python_reads_it(write: Write, tmp_path: Path, content: bytes, text: str) -> None:
    """Declared encodings, byte order marks and every kind of line ending."""
    write("app.py", content)
    assert [file.text for file in _collected(tmp_path).files] == [text]


def test_scripts_without_a_suffix(write: Write, tmp_path: Path) -> None:
    """A script is read if it is named and Python runs it; any other file is refused."""
    script = write("bin/tool", "#!/usr/bin/env python3\nx = 1\n")
    assert _found(tmp_path, script) == ["bin/tool"]
    with pytest.raises(BadInputError, match=r"notes.md: not Python. Give a folder, or a file that ends in"):
        find_files([write("notes.md")], Exclusions(tmp_path, patterns([])))
