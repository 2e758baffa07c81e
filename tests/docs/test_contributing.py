"""The map of the code in CONTRIBUTING.md is complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import ROOT

_PACKAGES = [
    ROOT / "instrumentation" / "claudescope",
    ROOT / "alerts" / "claudescope_alerts",
    ROOT / "dashboards" / "claudescope_dashboards",
]


def _entries(package: Path) -> list[str]:
    """The modules and packages of the first level, as the map writes them: `settings.py`, `probe/`."""
    return sorted(
        f"{path.name}/" if path.is_dir() else path.name
        for path in package.iterdir()
        if (path.is_dir() and path.name != "__pycache__") or (path.suffix == ".py" and path.name != "__init__.py")
    )


@pytest.mark.parametrize("package", _PACKAGES, ids=lambda package: package.name)
def test_the_map_has_every_module_and_package(package: Path) -> None:
    """A newcomer finds each of them, and nothing that has gone."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    heading = f"### `{package.relative_to(ROOT)}/`\n"
    section = text.partition(heading)[2].partition("\n### ")[0].partition("\n## ")[0]
    rows = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
    assert sorted(rows) == _entries(package)
