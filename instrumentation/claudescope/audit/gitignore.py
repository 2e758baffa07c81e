"""Which paths git ignores, by the `.gitignore` files of a work tree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from claudescope._internal.exceptions import require

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

__all__ = ["IgnoredPaths", "patterns", "repository_root"]


def repository_root(folder: Path) -> Path | None:
    """The folder that has `.git`, at or above a folder; None outside of a work tree."""
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)


def patterns(lines: Iterable[str]) -> GitIgnoreSpec:
    """Compile patterns with the meaning that they have in a `.gitignore` file.

    Raises:
        MissingExtraError: `pathspec` is not installed.
        ValueError: A pattern is invalid.
    """
    # Imported here, so that claudescope can be used without the extra.
    pathspec = require("pathspec", extra="audit", feature="claudescope audit")
    spec: GitIgnoreSpec = pathspec.GitIgnoreSpec.from_lines(lines)
    return spec


def _is_valid(line: str) -> bool:
    try:
        patterns([line])
    except ValueError:  # git skips an invalid pattern too
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Level:
    folder: Path
    lines: tuple[str, ...]
    spec: GitIgnoreSpec

    @classmethod
    def of(cls, folder: Path, lines: Iterable[str]) -> _Level:
        valid = tuple(line for line in lines if _is_valid(line))
        return cls(folder, valid, patterns(valid))

    def without(self, path: Path, *, is_folder: bool) -> _Level:
        """The level without the patterns that ignore a path."""
        kept = [line for line in self.lines if not _Level.of(self.folder, [line]).decides(path, is_folder=is_folder)]
        return _Level.of(self.folder, kept)

    def decides(self, path: Path, *, is_folder: bool) -> bool | None:
        relative = path.relative_to(self.folder).as_posix() + ("/" if is_folder else "")
        return self.spec.check_file(relative).include


@dataclass(frozen=True, slots=True)
class IgnoredPaths:
    """The patterns that apply in one folder: its own `.gitignore`, and those of the folders above.

    Attributes:
        levels: The innermost first: the first level with a matching pattern decides.
    """

    levels: tuple[_Level, ...] = ()

    @classmethod
    def above(cls, path: Path, root: Path | None) -> IgnoredPaths:
        """The patterns of the folders above a path, up to the root of its work tree.

        Patterns that ignore `path` itself do not apply: whoever names a path wants it scanned.
        """
        if root is None:
            return cls()
        found = cls().extended(root, root / ".git" / "info" / "exclude")
        if path == root:
            return found
        for folder in reversed([each for each in path.parents if each.is_relative_to(root)]):
            found = found.within(folder)
        is_folder = path.is_dir()
        return cls(tuple(level.without(path, is_folder=is_folder) for level in found.levels))

    def within(self, folder: Path) -> IgnoredPaths:
        """The patterns that apply in a folder inside of this one."""
        return self.extended(folder, folder / ".gitignore")

    def extended(self, folder: Path, file: Path) -> IgnoredPaths:
        """The patterns with those of a file in front, which are about a folder. The file may be missing."""
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:  # there is none
            return self
        return IgnoredPaths((_Level.of(folder, lines), *self.levels))

    def ignores(self, path: Path, *, is_folder: bool) -> bool:
        """Whether git ignores a path in this folder."""
        for level in self.levels:
            decided = level.decides(path, is_folder=is_folder)
            if decided is not None:
                return decided
        return False
