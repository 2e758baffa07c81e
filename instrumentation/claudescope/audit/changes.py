"""The lines that are new since a commit, from git."""

from __future__ import annotations

import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from claudescope._internal.exceptions import BadInputError

__all__ = ["ChangedLines", "changed_lines"]

_HUNK: Final = re.compile(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@")


class ChangedLines:
    """The new lines of a work tree."""

    def __init__(self, ranges: Mapping[str, Iterable[range]], new_files: Iterable[str]) -> None:
        self._ranges = {path: list(found) for path, found in ranges.items()}
        self._new_files = frozenset(new_files)

    def __contains__(self, place: tuple[str, int]) -> bool:
        path, line = place
        return path in self._new_files or any(line in each for each in self._ranges.get(path, ()))


def changed_lines(root: Path, ref: str) -> ChangedLines:
    """Find the lines that are new since the work tree left `ref`, committed or not, and the files not yet tracked.

    Args:
        root: The root of the work tree.
        ref: A commit, branch or tag.

    Raises:
        BadInputError: `root` is no work tree, git is not installed, or it does not know `ref`.
    """
    option = f"--diff {ref}"
    commit = _git(root, option, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").strip()
    # What others committed to `ref` since is not new here. A shallow clone may lack the common commit.
    base = _git(root, option, "merge-base", commit, "HEAD", check=False).strip() or commit
    text = _git(
        root, option, "-c", "core.quotePath=false", "diff", "--unified=0", "--no-color", "--no-ext-diff",
        "--no-textconv", "--no-relative", "--src-prefix=a/", "--dst-prefix=b/", base, "--",
    )  # fmt: skip
    untracked = _git(root, option, "ls-files", "--others", "--exclude-standard", "-z")
    return ChangedLines(_ranges(text), filter(None, untracked.split("\0")))


def _ranges(text: str) -> Mapping[str, list[range]]:
    found: dict[str, list[range]] = defaultdict(list)
    path = ""
    left = 0  # lines of the hunk that are still to come: a line of source may look like a header
    for line in text.split("\n"):
        if left and line.startswith("+"):
            left -= 1
        elif line.startswith("+++ "):
            name = line[4:].rstrip("\t")
            name = str(json.loads(name)) if name.startswith('"') else name
            path = name.removeprefix("b/")
        elif hunk := _HUNK.match(line):
            left = int(hunk[2] or 1)
            found[path].append(range(int(hunk[1]), int(hunk[1]) + left))
    return found


def _git(root: Path, option: str, *arguments: str, check: bool = True) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - arguments that begin with a dash were refused or come after the options
            ["git", *arguments],  # noqa: S607
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )
    except OSError as error:
        raise BadInputError(f"{option}: can't run git: {error.strerror}. Install git") from error
    if not check or done.returncode == 0:
        return done.stdout if done.returncode == 0 else ""
    if "rev-parse" in arguments and not done.stderr:
        raise BadInputError(f"{option}: git knows no such commit, branch or tag. Fetch it, or name another")
    raise BadInputError(f"{option}: {root}: git says: {done.stderr.strip() or 'no reason'}")
