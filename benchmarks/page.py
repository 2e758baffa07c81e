"""Writes the results of benchmarks to docs/performance.md. Each benchmark replaces its own part."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

__all__ = ["machine", "publish", "table"]

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "performance.md"


def machine() -> str:
    """Describe the machine and the versions, without host names or paths."""
    model = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = re.search(r"^model name\s*:\s*(.+)$", info.read_text(encoding="utf-8"), re.MULTILINE)
        model = model if named is None else f"{named[1].strip()}, {model}"
    busy = f", load average {os.getloadavg()[0]:.1f} at the end of the run" if hasattr(os, "getloadavg") else ""
    return (
        f"{model}, {os.cpu_count()} cores{busy}; {platform.system()}, {platform.python_implementation()} "
        f"{platform.python_version()}, anthropic {version('anthropic')}, "
        f"opentelemetry-sdk {version('opentelemetry-sdk')}"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Format a Markdown table whose columns are numbers, except the first."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def publish(part: str, text: str) -> None:
    """Print a part and write it to its place on the page.

    Raises:
        ValueError: The page has no place for it.
    """
    print(text)
    begin, end = f"<!-- {part}: begin, made by benchmarks -->", f"<!-- {part}: end -->"
    page = PAGE.read_text(encoding="utf-8")
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{PAGE.name} has no place for {part!r}: expected {begin!r} and then {end!r}")
    PAGE.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")
    print(f"written to docs/{PAGE.name}", file=sys.stderr)
