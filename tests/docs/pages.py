"""The fenced blocks of the documentation's pages."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

__all__ = ["PAGES", "ROOT", "TUTORIAL", "Fence", "fences", "with_free_ports"]

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]


@dataclass(frozen=True)
class Fence:
    """A fenced block.

    Attributes:
        place: Page and line where it begins, such as `docs/alerts.md:5`.
        language: Its language, such as `console`.
        file: Name of the file that a reader saves it as; None if there is none.
        text: Its contents.
    """

    place: str
    language: str
    file: str | None
    text: str

    @property
    def commands(self) -> list[str]:
        """The commands of a console block, without their comments."""
        lines = self.text.splitlines()
        assert all(line.startswith("$ ") for line in lines), f"{self.place}: something other than commands"
        return [re.sub(r"\s{2,}# .*", "", line.removeprefix("$ ")) for line in lines]


def fences(page: Path) -> list[Fence]:
    """Every fenced block of a page, in order."""
    found: list[Fence] = []
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence":
            language, _, rest = token.info.partition(" ")
            title = re.search(r'title="(.+)"', rest)
            place = f"{page.relative_to(ROOT)}:{(token.map or [0])[0] + 1}"
            found.append(Fence(place, language, title and title[1], token.content))
    return found


def with_free_ports(script: str, ports: str) -> str:
    """Replace the ports that a pattern finds in a script by free ones."""
    found = sorted(set(re.findall(ports, script)))
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in found]
    for port, listener in zip(found, listeners, strict=True):
        script = re.sub(rf"\b{port}\b", str(listener.getsockname()[1]), script)
        listener.close()
    return script
