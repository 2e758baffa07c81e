"""Reads a call log: the JSON lines that `claudescope.sinks.json_formatter` writes, one for each call."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from claudescope._internal.exceptions import BadInputError

__all__ = ["LogLine", "read_call_log"]

_STDIN = Path("-")


class LogLine(NamedTuple):
    """One line of a log.

    Attributes:
        path: The file; `-` for standard input.
        number: Its number, from 1.
        fields: The fields; None where the line is no JSON object.
    """

    path: Path
    number: int
    fields: dict[str, Any] | None


def read_call_log(paths: Iterable[Path]) -> Iterator[LogLine]:
    """Yield the lines of call logs one by one, empty ones left out. Memory does not grow with the log.

    Args:
        paths: Files, read as gzip where their name ends in `.gz`; `-` is standard input.

    Raises:
        BadInputError: A file can't be read. The message names it.
    """
    for path in paths:
        yield from _lines(path)


def _lines(path: Path) -> Iterator[LogLine]:
    try:
        with _open(path) as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield LogLine(path, number, _fields(line))
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInputError(f"{path}: can't be read: {reason}") from None


def _open(path: Path) -> IO[str]:
    if path == _STDIN:
        # A copy, as the caller closes it.
        return open(sys.stdin.fileno(), encoding="utf-8", errors="replace", closefd=False)
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return path.open(encoding="utf-8", errors="replace")


def _fields(line: str) -> dict[str, Any] | None:
    try:
        found: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None
