"""Writes the reference pages from the code that they describe: `make docs`.

`--check` writes nothing. It fails where a committed page differs from what would be written, and where a key of the
alert spec has no description. As a hook of MkDocs this module also adds the pages that are not committed: the command
line and the Python API.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from generators.alerts import alerts
from generators.api import api_pages
from generators.attributes import attributes_page
from generators.audit_rules import audit_rules
from generators.cli import command_line
from generators.environment import environment
from generators.errors import errors
from generators.signals import signals
from generators.spec import missing_descriptions, policy, spec
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from claudescope._internal.files import write_atomically

DOCS = Path(__file__).parent

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "environment.md": environment,
    "reference/alerts.md": alerts,
    "reference/attributes.md": attributes_page,
    "reference/audit-rules.md": audit_rules,
    "reference/errors.md": errors,
    "reference/policy.md": policy,
    "reference/signals.md": signals,
    "reference/spec.md": spec,
}
"""The pages that are committed, each with its writer."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not committed. Called by MkDocs."""
    for path, content in {"reference/cli.md": command_line(), **api_pages()}.items():
        files.append(File.generated(config, path, content=content))
    return files


def problems() -> list[str]:
    """What `--check` reports, one line each; empty where all is well."""
    outdated = [name for name, writer in PAGES.items() if _committed(name) != writer()]
    return [
        *(f"docs/{name} is outdated. Run `make docs` and commit the result" for name in outdated),
        *(f"the key {key} has no description. Add one to its field" for key in missing_descriptions()),
    ]


def _committed(name: str) -> str | None:
    file = DOCS / name
    return file.read_text(encoding="utf-8") if file.exists() else None


def main(arguments: list[str]) -> int:
    """Write the pages that are committed, or check them."""
    if arguments == ["--check"]:
        found = problems()
        sys.stderr.writelines(f"{line}\n" for line in found)
        return 1 if found else 0
    for name, writer in PAGES.items():
        write_atomically(DOCS / name, writer())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
