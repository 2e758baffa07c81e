"""Files are replaced whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from claudescope._internal.exceptions import BadInputError
from claudescope._internal.files import write_atomically


def test_makes_a_file(tmp_path: Path) -> None:
    """A new file has the text, and no other file is left beside it."""
    write_atomically(tmp_path / "new.txt", "content\n")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("new.txt", "content\n")]


def test_keeps_who_may_read_it(tmp_path: Path) -> None:
    """A file that is replaced keeps its mode."""
    file = tmp_path / "old.txt"
    file.write_text("old")
    file.chmod(0o640)
    write_atomically(file, "new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o640)


def test_a_file_that_can_not_be_written(tmp_path: Path) -> None:
    """What can't be replaced is named, stays as it was, and nothing half-written is left."""
    folder = tmp_path / "folder"
    (folder / "inside").mkdir(parents=True)
    with pytest.raises(BadInputError, match="folder: can't be written"):
        write_atomically(folder, "text")
    with pytest.raises(BadInputError, match="can't be written: No such file or directory"):
        write_atomically(tmp_path / "missing" / "file.txt", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
