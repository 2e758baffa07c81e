"""Missing packages are told apart from broken ones."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from claudescope._internal.exceptions import MissingExtraError, require


def test_gives_the_module() -> None:
    """What is installed is returned."""
    assert require("json", extra="x", feature="y") is sys.modules["json"]


def test_names_the_install_command() -> None:
    """What is missing comes with the exact command that installs it."""
    with pytest.raises(MissingExtraError) as caught:
        require("no_such_module_here.inner", extra="sentry", feature="Sentry reporting")
    assert str(caught.value) == (
        "Sentry reporting needs the package 'no_such_module_here'. Install it with: pip install 'claudescope[sentry]'"
    )


def test_a_broken_package_is_not_a_missing_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that fails inside an installed package is shown as it is."""
    (tmp_path / "broken_package.py").write_text("import nothing_like_this")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError) as caught:
        require("broken_package", extra="x", feature="y")
    assert (type(caught.value), caught.value.name) == (ModuleNotFoundError, "nothing_like_this")
