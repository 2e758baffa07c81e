"""What the pages of the documentation show."""

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
        place: The page and the line that it begins at, such as `docs/alerts.md:5`.
        language: What it is in, such as `console`.
        file: What it is to be saved as; None if it isn't.
        text: What stands in it.
    """

    place: str
    language: str
    file: str | None
    text: str

    @property
    def commands(self) -> list[str]:
        """The commands of a console, without what is remarked on them."""
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
    """A script with other ports, none of which is in use, in place of those that a pattern finds."""
    found = sorted(set(re.findall(ports, script)))
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in found]
    for port, listener in zip(found, listeners, strict=True):
        script = re.sub(rf"\b{port}\b", str(listener.getsockname()[1]), script)
        listener.close()
    return script
