"""Findings that are known already: stable fingerprints, and the file that lists the accepted ones."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from claudescope._internal.exceptions import BadInputError
from claudescope._internal.files import write_atomically
from claudescope._internal.json_values import is_array, is_object
from claudescope.audit.model import Finding, SourceFile

__all__ = ["fingerprints", "read_baseline", "write_baseline"]

_VERSION = 1
_ADVICE = "Write it again with --write-baseline"


def fingerprints(findings: Iterable[Finding], files: Iterable[SourceFile]) -> dict[Finding, str]:
    """Name each finding by its file, its rule and the text of its line, so that the name survives moved lines.

    Equal lines with the same rule are numbered from the top of the file.

    Args:
        findings: Sorted by path and line.
        files: The source that they are about. A finding about a file that could not be read has no line.
    """
    wanted = {finding.path for finding in findings}
    texts = {file.path: _lines(file) for file in files if file.path in wanted}
    seen: Counter[tuple[str, str, str]] = Counter()
    named: dict[Finding, str] = {}
    for finding in findings:
        line = texts.get(finding.path, {}).get(finding.line, "")
        key = (finding.path, finding.rule, " ".join(line.split()))
        seen[key] += 1
        digest = hashlib.sha256("\0".join(key).encode("utf-8", "surrogatepass")).hexdigest()[:16]
        named[finding] = f"{digest}:{seen[key]}"
    return named


def _lines(file: SourceFile) -> dict[int, str]:
    """The text of each line, by its number in findings."""
    found: dict[int, str] = {}
    for index, text in enumerate(file.text.split("\n")):
        number = index + 1
        if file.line_map:
            number = file.line_map[min(index, len(file.line_map) - 1)]
        found[number] = f"{found[number]} {text}" if number in found else text
    return found


def write_baseline(path: Path, named: Mapping[Finding, str]) -> None:
    """Write the findings that are accepted from now on.

    Raises:
        BadInputError: The file can't be written.
    """
    entries = [
        {"path": finding.path, "rule": finding.rule, "fingerprint": fingerprint, "message": finding.message}
        for finding, fingerprint in named.items()
    ]
    entries.sort(key=lambda entry: (entry["path"], entry["rule"], entry["fingerprint"]))
    write_atomically(path, json.dumps({"version": _VERSION, "findings": entries}, indent=2, ensure_ascii=False) + "\n")


def read_baseline(path: Path) -> frozenset[str]:
    """Read the fingerprints of the accepted findings.

    Raises:
        BadInputError: The file does not exist, or is no baseline of this version.
    """
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInputError(f"--baseline {path}: can't be read: {error.strerror}. {_ADVICE}") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"--baseline {path}: not UTF-8. {_ADVICE}") from error
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise BadInputError(f"--baseline {path}:{line}: not valid JSON: {error}. {_ADVICE}") from error
    if not is_object(content) or content.get("version") != _VERSION:
        raise BadInputError(f"--baseline {path}:1: expected a baseline of version {_VERSION}. {_ADVICE}")
    entries = content.get("findings")
    if not is_array(entries) or not all(
        is_object(entry) and isinstance(entry.get("fingerprint"), str) for entry in entries
    ):
        raise BadInputError(f"--baseline {path}: expected a list of findings with a fingerprint each. {_ADVICE}")
    return frozenset(entry["fingerprint"] for entry in entries)
