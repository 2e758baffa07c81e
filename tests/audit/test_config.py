"""The settings of an audit in `pyproject.toml`."""

from __future__ import annotations

from pathlib import Path

import pytest

from claudescope import BadInputError
from claudescope.audit.config import FailOn, find_config
from tests.audit.conftest import Write

_SETTINGS = """\
[project]
name = "shop"

[tool.claudescope.audit]
paths = ["src"]
exclude = ["src/generated/"]
disable = ["no-timeout"]
fail-on = ["hard-coded-key"]

[tool.claudescope.audit.per-path-ignores]
"tests/**" = ["unhandled-call"]
"""


def test_every_key(write: Write, tmp_path: Path) -> None:
    """Each key is read, from the nearest file above."""
    write("pyproject.toml", _SETTINGS)
    write("src/shop/app.py")
    config = find_config(tmp_path / "src" / "shop")
    assert (config.folder, config.paths, config.exclude) == (tmp_path, ("src",), ("src/generated/",))
    assert config.disable == {"no-timeout"}
    assert config.fail_on == FailOn(frozenset({"hard-coded-key"}))
    assert config.per_path_ignores == {"tests/**": {"unhandled-call"}}


def test_the_nearest_file_counts(write: Write, tmp_path: Path) -> None:
    """In a repository of several projects each has its own settings, and none from outside the repository."""
    write("pyproject.toml", _SETTINGS)
    write("inner/pyproject.toml", "[tool.claudescope.audit]\ndisable = ['broad-except']\n")
    assert find_config(tmp_path / "inner").disable == {"broad-except"}
    write("other/.git/config")
    write("other/src/app.py")
    assert find_config(tmp_path / "other" / "src").disable == set()


@pytest.mark.parametrize("text", ["", "[tool.other]\nx = 1\n", "[tool]\nclaudescope = {}\n"])
def test_defaults(write: Write, tmp_path: Path, text: str) -> None:
    """Without the table, everything is on, and any finding fails."""
    write("pyproject.toml", text)
    config = find_config(tmp_path)
    assert config.paths == (".",)
    assert "broad-except" in config.fail_on


@pytest.mark.parametrize(("value", "fails"), [('"any"', True), ('"none"', False), ("[]", False), ('["any"]', True)])
def test_fail_on(write: Write, tmp_path: Path, value: str, *, fails: bool) -> None:
    """`any` and `none` are words, as on the command line."""
    write("pyproject.toml", f"[tool.claudescope.audit]\nfail-on = {value}\n")
    assert ("broad-except" in find_config(tmp_path).fail_on) is fails


_TABLE = "[tool.claudescope.audit]\n"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (f"{_TABLE}exlude = []\n", 2, "audit.exlude: unknown key. Did you mean 'exclude'? Known keys: paths, exclude"),
        (f"\n{_TABLE}[tool.claudescope.audit.per_path]\n", 3, "audit.per_path: unknown key"),
        ("tool.claudescope.audit.exlude = []\n", 1, "audit.exlude: unknown key"),
        ("[tool.claudescope]\naudit = { exlude = 1 }\n", 2, "audit.exlude: unknown key"),
        (f"{_TABLE}paths = 'src'\n", 2, "audit.paths: expected a list of texts, got 'src'"),
        (f"{_TABLE}paths = [1]\n", 2, "expected a list of texts, got [1]"),
        (
            f"{_TABLE}# disable\ndisable = ['no-timeut']\n",
            3,
            "there is no rule 'no-timeut'. Did you mean 'no-timeout'?",
        ),
        (f"{_TABLE}fail-on = 'some'\n", 2, "there is no rule 'some'. Expected any, none, "),
        (f"{_TABLE}fail-on = true\n", 2, "expected a list of texts, got True"),
        (f"{_TABLE}per-path-ignores = ['x']\n", 2, "expected a table from patterns to lists of rules"),
        (f"{_TABLE}[tool.claudescope.audit.per-path-ignores]\n'x' = ['y']\n", 2, "there is no rule 'y'"),
        (f"{_TABLE}exclude = ['!']\n", 2, "'!' is not a pattern of .gitignore"),
        ("[tool.claudescope]\naudit = 3\n", 2, "expected a table [tool.claudescope.audit], got 3"),
        ('[tool]\nclaudescope = { audit = { "exlude" = [] } }\n', 2, "audit.exlude: unknown key"),
        ("[tool\n", 1, "not valid TOML"),
        ("x = 1\ny = \n", 2, "not valid TOML"),
    ],
)
def test_mistakes(write: Write, tmp_path: Path, text: str, line: int, message: str) -> None:
    """A mistake is told with its file, its line and what was expected."""
    file = write("pyproject.toml", text)
    with pytest.raises(BadInputError) as caught:
        find_config(tmp_path)
    assert str(caught.value).startswith(f"{file}:{line}: ")
    assert message in str(caught.value)


def test_every_mistake_is_told(write: Write, tmp_path: Path) -> None:
    """Two mistakes are two lines."""
    write("pyproject.toml", f"{_TABLE}a = 1\nb = 2\n")
    with pytest.raises(BadInputError) as caught:
        find_config(tmp_path)
    assert len(str(caught.value).splitlines()) == 2


def test_not_utf8(write: Write, tmp_path: Path) -> None:
    """TOML is UTF-8."""
    write("pyproject.toml", b"x = '\xfc'\n")
    with pytest.raises(BadInputError, match=r"pyproject.toml: not UTF-8"):
        find_config(tmp_path)
