"""Draws the picture of the report that the README shows, from a run of the demo: `make pictures`."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI

import claudescope
from claudescope._internal.files import write_atomically
from claudescope.demo import run_demo

PICTURE = Path(__file__).parent / "images" / "report.svg"
# A picture must not fetch anything: whoever lacks the font sees another one.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def main() -> None:
    """Run the demo and draw its report."""
    claudescope.instrument()
    result = run_demo(duration=15)
    console = Console(record=True, width=118, file=io.StringIO(), force_terminal=True)
    result.report.print(console)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(PICTURE, console.export_svg(title="claudescope demo", theme=MONOKAI, code_format=FORMAT))


if __name__ == "__main__":
    main()
