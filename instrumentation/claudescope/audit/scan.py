"""Runs an audit: collects the source, analyses it, and drops the findings that are ignored, known or not new."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from claudescope._internal.exceptions import BadInputError
from claudescope.audit.baseline import fingerprints
from claudescope.audit.changes import changed_lines
from claudescope.audit.collect import Exclusions, collect, find_files
from claudescope.audit.config import Config, find_config
from claudescope.audit.engine import analyse
from claudescope.audit.gitignore import patterns, repository_root
from claudescope.audit.model import Finding, Report
from claudescope.audit.suppress import suppress

__all__ = ["Outcome", "Progress", "Target", "find_target", "scan"]

Progress = Callable[[str, int, int], None]
"""Called with what is being done, the number of files that are done, and their total."""


@dataclass(frozen=True, slots=True)
class Target:
    """What to scan.

    Attributes:
        paths: Absolute paths of files and folders.
        root: The folder that paths in the result are relative to: that of the repository, else the current folder.
        config: The settings that apply.
    """

    paths: tuple[Path, ...]
    root: Path
    config: Config


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a scan.

    Attributes:
        report: The call sites, and the findings that are left.
        root: The folder that paths are relative to.
        fingerprints: The stable name of each finding.
        ignored: Number of findings that ignore comments and settings dropped.
        known: Number of findings that the baseline lists.
        stale: Number of entries of the baseline that match no finding any more.
        unchanged: Number of findings on lines that are not new.
    """

    report: Report
    root: Path
    fingerprints: Mapping[Finding, str]
    ignored: int = 0
    known: int = 0
    stale: int = 0
    unchanged: int = 0


def find_target(paths: Sequence[Path]) -> Target:
    """Find the settings and the root for paths that a user names.

    Args:
        paths: As the user gave them. If there are none, those of the settings that apply to the current folder.

    Raises:
        BadInputError: A path does not exist, or the settings are invalid.
    """
    here = Path.cwd()
    if not paths:
        config = find_config(here)
        paths = [config.folder / path for path in config.paths]
        _exist(paths)
    else:
        _exist(paths)
        config = find_config(_common(paths))
    common = _common(paths)
    outside = here if common.is_relative_to(here) else common
    absolute = tuple(Path(os.path.abspath(path)) for path in paths)  # noqa: PTH100 - keeps links, removes `..`
    return Target(absolute, repository_root(common) or outside, config)


def scan(
    target: Target,
    *,
    baseline: frozenset[str] = frozenset(),
    diff: str | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Audit a project. Nothing of it is imported or run.

    Args:
        target: What to scan.
        baseline: Fingerprints of known findings, which are dropped.
        diff: A commit, branch or tag: findings on lines that are not new since are dropped.
        progress: Told how far the scan is.

    Raises:
        BadInputError: A path does not exist or is of another kind, or `diff` is unknown to git.
    """
    config = target.config
    changed = changed_lines(target.root, diff) if diff is not None else None
    files = find_files(target.paths, Exclusions(config.folder, patterns(config.exclude)))
    read = 0

    def one_read() -> None:
        nonlocal read
        read += 1
        if progress:
            progress("Reading", read, len(files))

    collection = collect(files, target.root, progress=one_read)
    report = analyse(
        collection.files, progress=(lambda done, total: progress("Analysing", done, total)) if progress else None
    )
    found, ignored = suppress([*report.findings, *collection.findings], collection.files)
    enabled = _enabled(dict.fromkeys(found), target)
    ignored += len(set(found)) - len(enabled)
    enabled.sort(key=lambda finding: (finding.path, finding.line, finding.rule, finding.message))
    named = fingerprints(enabled, collection.files)
    unknown = [finding for finding in enabled if named[finding] not in baseline]
    new = [finding for finding in unknown if changed is None or (finding.path, finding.line) in changed]
    return Outcome(
        dataclasses.replace(report, findings=tuple(new)),
        target.root,
        {finding: named[finding] for finding in new},
        ignored=ignored,
        known=len(enabled) - len(unknown),
        stale=len(baseline - set(named.values())),
        unchanged=len(unknown) - len(new),
    )


def _enabled(findings: Mapping[Finding, None], target: Target) -> list[Finding]:
    """The findings of rules that the settings leave on."""
    config = target.config
    off = [(patterns([pattern]), rules) for pattern, rules in config.per_path_ignores.items()]
    kept: list[Finding] = []
    for finding in findings:
        path = os.path.relpath(target.root / finding.path, config.folder).replace(os.sep, "/")
        if finding.rule not in config.disable and not any(
            finding.rule in rules and spec.match_file(path) for spec, rules in off
        ):
            kept.append(finding)
    return kept


def _exist(paths: Sequence[Path]) -> None:
    for path in paths:
        try:
            exists = path.exists()
        except (OSError, ValueError):  # may not be read, too long, or with a null character
            exists = False
        if not exists:
            raise BadInputError(f"{path}: no such file or folder. Give a file or a folder of your project")


def _common(paths: Sequence[Path]) -> Path:
    """The folder that has all paths below it."""
    folders = [path if path.is_dir() else path.parent for path in paths]
    return Path(os.path.commonpath([os.path.abspath(folder) for folder in folders]))  # noqa: PTH100 - as above
