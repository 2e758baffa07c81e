"""Collects the source files of a project: what git ignores is left out, and what can't be read is told."""

from __future__ import annotations

import codecs
import io
import os
import tokenize
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from claudescope._internal.exceptions import BadInputError
from claudescope.audit.gitignore import IgnoredPaths, repository_root
from claudescope.audit.model import Finding, Severity, SourceFile
from claudescope.audit.notebooks import NotebookError, NotebookSource, notebook_source
from claudescope.audit.own_rules import UNREADABLE_FILE

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

__all__ = ["MAX_BYTES", "Collection", "Exclusions", "collect", "find_files"]

MAX_BYTES: Final = 2_000_000
"""Larger files are generated code or notebooks full of pictures; they are not read."""

_SUFFIXES: Final = frozenset({".py", ".pyi", ".pyw", ".ipynb"})

# Copies of installed packages, caches and what version control keeps: nobody's own source, even where git does not
# ignore it.
_NEVER: Final = frozenset({
    ".eggs", ".git", ".hg", ".ipynb_checkpoints", ".nox", ".svn", ".tox",
    "__pycache__", "node_modules", "site-packages",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Paths that the settings leave out.

    Attributes:
        folder: What the patterns are relative to.
        spec: The patterns.
    """

    folder: Path
    spec: GitIgnoreSpec

    def leave_out(self, path: Path, *, is_folder: bool) -> bool:
        """Whether a pattern matches a path."""
        if not path.is_relative_to(self.folder):
            return False
        return self.spec.match_file(path.relative_to(self.folder).as_posix() + ("/" if is_folder else ""))


@dataclass(frozen=True, slots=True)
class Collection:
    """The source of a project.

    Attributes:
        files: What was read, in order of their paths.
        findings: One for each file that could not be read.
    """

    files: tuple[SourceFile, ...]
    findings: tuple[Finding, ...]


def find_files(paths: Sequence[Path], exclusions: Exclusions) -> list[Path]:
    """Find the Python files and notebooks below paths, each once, in order.

    A file that is named itself is taken even if git ignores it. Links to folders are not followed.

    Args:
        paths: Absolute paths of files and folders, which exist.
        exclusions: What to leave out.

    Raises:
        BadInputError: A path is a file of another kind.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        for file in _below(path, exclusions):
            # Two names of one file, such as a link, are one file.
            found.setdefault(_target(file), file)
    return sorted(found.values())


def collect(files: Sequence[Path], root: Path, *, progress: Callable[[], None] | None = None) -> Collection:
    """Read source files.

    Args:
        files: What `find_files` found.
        root: The folder that the paths of the result are relative to.
        progress: Called after each file.
    """
    sources: list[SourceFile] = []
    findings: list[Finding] = []
    for file in files:
        name = file.relative_to(root).as_posix()
        try:
            if file.suffix == ".ipynb":
                notebook = _notebook(file)
                sources += [SourceFile(name, notebook.text, notebook.line_map)] if notebook else []
                findings += [_finding(name, _broken(line)) for line in notebook.broken] if notebook else []
            else:
                sources.append(SourceFile(name, _text(_content(file), is_notebook=False)))
        except _UnreadableError as error:
            findings.append(_finding(name, error))
        if progress:
            progress()
    return Collection(tuple(sources), tuple(findings))


def _below(path: Path, exclusions: Exclusions) -> Iterator[Path]:
    if path.is_dir():
        if not exclusions.leave_out(path, is_folder=True):
            yield from _walk(path, IgnoredPaths.above(path, repository_root(path)), exclusions)
    elif path.suffix not in _SUFFIXES and not _is_script(path):
        raise BadInputError(f"{path}: not Python. Give a folder, or a file that ends in .py, .pyi or .ipynb")
    elif not exclusions.leave_out(path, is_folder=False):
        yield path


def _walk(folder: Path, ignored: IgnoredPaths, exclusions: Exclusions) -> Iterator[Path]:
    pending = [(folder, ignored)]
    while pending:
        current, above = pending.pop()
        rules = above.within(current)
        try:
            entries = sorted(os.scandir(current), key=lambda entry: entry.name)
        except OSError:
            yield current  # which `collect` tells like a file that can't be read
            continue
        for entry in entries:
            path = current / entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            wanted = (
                entry.name not in _NEVER and not (path / "pyvenv.cfg").exists()
                if is_folder
                else path.suffix in _SUFFIXES and _is_file_or_link(entry)
            )
            if not wanted or rules.ignores(path, is_folder=is_folder):
                continue
            if exclusions.leave_out(path, is_folder=is_folder):
                continue
            if is_folder:
                pending.append((path, rules))
            else:
                yield path


def _target(file: Path) -> Path:
    try:
        return file.resolve() if file.is_symlink() else file
    except (OSError, RuntimeError):  # a link to itself
        return file


def _is_file_or_link(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file, or a link to anything but a folder. A link that leads nowhere is told later."""
    try:
        return entry.is_file() or (entry.is_symlink() and not entry.is_dir())
    except OSError:  # a link to itself
        return True


def _is_script(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            first = file.readline(200)
    except OSError:
        return False
    return first.startswith(b"#!") and b"python" in first


class _UnreadableError(Exception):
    def __init__(self, message: str, fix: str, *, line: int = 1, severity: Severity = "warning") -> None:
        super().__init__(message)
        self.fix = fix
        self.line = line
        self.severity: Severity = severity


def _finding(name: str, error: _UnreadableError) -> Finding:
    return Finding(name, error.line, UNREADABLE_FILE.name, error.severity, "high", f"{error}. {error.fix}")


def _notebook(file: Path) -> NotebookSource | None:
    """A notebook; None for one in another language."""
    try:
        return notebook_source(_text(_content(file), is_notebook=True))
    except NotebookError as error:
        raise _UnreadableError(
            f"The notebook can't be read: {error}", "Open and save it in Jupyter", line=error.line
        ) from None


def _broken(line: int) -> _UnreadableError:
    return _UnreadableError(
        "The cell is not valid Python and was skipped", "Mend the cell, or delete it", line=line, severity="note"
    )


def _content(file: Path) -> bytes:
    try:
        if file.is_dir():
            raise _UnreadableError("The folder can't be read", "Check its permissions")
        if not file.is_file():  # a pipe or a device would block
            raise _UnreadableError("The link leads to no file", "Delete the link, or restore its target")
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise _UnreadableError(f"The file can't be read: {error.strerror}", "Check its permissions") from None
    if len(content) > MAX_BYTES:
        raise _UnreadableError(
            f"The file has more than {MAX_BYTES:,} bytes and was skipped",
            "Exclude it, or clear the outputs if it is a notebook",
            severity="note",
        )
    if b"\0" in content and not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _UnreadableError("The file is binary and was skipped", "Exclude or rename it", severity="note")
    return content


def _text(content: bytes, *, is_notebook: bool) -> str:
    encoding = "utf-8-sig"
    fix = "Save it as UTF-8"
    if not is_notebook:
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        except SyntaxError as error:
            raise _UnreadableError(f"The encoding can't be read: {error.msg}", "Save the file as UTF-8") from None
        fix += ", or declare its encoding in the first line"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _UnreadableError(f"The file is not {encoding}: {error.reason}", fix, line=line) from None
    # As Python itself reads source.
    return text.replace("\r\n", "\n").replace("\r", "\n")
