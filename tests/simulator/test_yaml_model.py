"""YAML files that are wrong in every way."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from claudescope._internal.exceptions import BadInputError
from claudescope._internal.yaml_model import Duration, format_duration, load_yaml_model, parse_duration

KNOWN = "Known keys: either, interval, named, part, parts, title"
TAB = "found character '\\t' that cannot start any token"
TAG = "'tag:yaml.org,2002:python/object:os.system'"
MERGE = "expected a mapping or list of mappings for merging, but found scalar"


class Part(BaseModel):
    """A nested model."""

    model_config = ConfigDict(extra="forbid")

    size: int = 1
    unit: Literal["small", "large"] = "small"


class Whole(BaseModel):
    """A model of a file."""

    model_config = ConfigDict(extra="forbid")

    title: str
    every: Duration = Field(default=60.0, alias="interval")
    part: Part | None = None
    parts: list[Part] = Field(default_factory=list[Part])
    named: dict[str, Part] = Field(default_factory=dict[str, Part])
    either: int | list[int] = 0


def _load(tmp_path: Path, text: str) -> Whole:
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return load_yaml_model(path, Whole)


def _mistakes(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(BadInputError) as caught:
        _load(tmp_path, text)
    return str(caught.value).replace(f"{tmp_path}/", "").splitlines()


def test_a_good_file_is_read(tmp_path: Path) -> None:
    """With aliases, merges and durations."""
    whole = _load(
        tmp_path,
        "title: t\ninterval: 5m\nnamed:\n  a: &a {size: 2}\n  b:\n    <<: *a\n    unit: large\nparts: [*a, *a]\n",
    )
    assert whole.every == 300
    assert whole.named["b"] == Part(size=2, unit="large")
    assert whole.parts == [Part(size=2), Part(size=2)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["file.yaml:1: the file is empty. Expected the keys title, interval, part, parts, named, either"]),
        (
            "# nothing\n",
            ["file.yaml:1: the file is empty. Expected the keys title, interval, part, parts, named, either"],
        ),
        ("part: {}\n", ["file.yaml:1: the key 'title' is missing"]),
        (
            "title: t\n\ntitel: u\n",
            ["file.yaml:3: titel: unknown key 'titel'. Did you mean 'title'? " + KNOWN],
        ),
        (
            "title: t\nparts:\n  - size: 1\n    sise: 2\n",
            ["file.yaml:4: parts[0].sise: unknown key 'sise'. Did you mean 'size'? Known keys: size, unit"],
        ),
        (
            "title: t\nnamed:\n  one:\n    colour: 2\n",
            ["file.yaml:4: named.one.colour: unknown key 'colour'. Known keys: size, unit"],
        ),
        (
            "title: t\npart: {unit: larg, size: big}\n",
            [
                "file.yaml:2: part.size: expected a valid integer, unable to parse string as an integer, got 'big'",
                "file.yaml:2: part.unit: expected 'small' or 'large', got 'larg'. Did you mean 'large'?",
            ],
        ),
        (
            "title: t\npart: {unit: zzz}\n",
            ["file.yaml:2: part.unit: expected 'small' or 'large', got 'zzz'"],
        ),
        (
            "title: [1]\ninterval: -5m\n",
            [
                "file.yaml:1: title: expected a text, got a list",
                "file.yaml:2: interval: expected a duration such as '250ms', '20s', '5m' or '1h30m', got '-5m'",
            ],
        ),
        ("title: t\neither: {a: 1}\n", ["file.yaml:2: either: expected a whole number or a list, got a mapping"]),
        (
            "title: t\nparts:\n  - size: 1\n    size: 2\nparts: []\n",
            [
                "file.yaml:4: the key 'size' is there already, in line 3. Remove one of them",
                "file.yaml:5: the key 'parts' is there already, in line 2. Remove one of them",
            ],
        ),
        (
            "title: t\nnamed:\n  a: &a {size: x}\n  b: {<<: *a}\n",
            [
                "file.yaml:3: named.a.size: expected a valid integer, unable to parse string as an integer, got 'x'",
                "file.yaml:3: named.b.size: expected a valid integer, unable to parse string as an integer, got 'x'",
            ],
        ),
        (
            "title: t\nnamed:\n  b: {<<: [{unit: small}, {size: x}]}\n",
            ["file.yaml:3: named.b.size: expected a valid integer, unable to parse string as an integer, got 'x'"],
        ),
        (
            "title: [1\n",
            ["file.yaml:2: not valid YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'"],
        ),
        (
            "title: t\n\tx: 1\n",
            ["file.yaml:2: not valid YAML: while scanning for the next token, " + TAB],
        ),
        (
            "title: !!python/object:os.system {}\n",
            ["file.yaml:1: not valid YAML: could not determine a constructor for the tag " + TAG],
        ),
        (
            "--- {title: t}\n--- {title: u}\n",
            ["file.yaml:2: not valid YAML: expected a single document in the stream, but found another document"],
        ),
        ("title: t\nx: \x07\n", ["file.yaml:2: YAML doesn't allow the character '\\x07'"]),
        ("- title\n", ["file.yaml:1: expected a mapping, got a list"]),
        ("title: 2026-13-45\n", ["file.yaml:1: month must be in 1..12. Quote the value if it is a text"]),
        ("title: t\ntrue: 1\n", ["file.yaml:2: the key 'true' isn't a text in YAML. Quote it if it is meant as one"]),
        (
            "title: t\n<<: 5\n",
            ["file.yaml:2: not valid YAML: while constructing a mapping, " + MERGE],
        ),
        ("&a title: t\npart: &b {size: *b}\n", ["file.yaml:2: part.size: expected a whole number, got a mapping"]),
        ("title: t\npart:\nparts: ''\n", ["file.yaml:3: parts: expected a list, got ''"]),
        ("title:\n", ["file.yaml:1: title: expected a text, got nothing"]),
        (
            "title: t\nparts: [&a {size: 1}, *a]\nnamed: {1: {}, b: 2026-13-45}\n",
            ["file.yaml:3: month must be in 1..12. Quote the value if it is a text"],
        ),
        ("? [a]\n: 1\n", ["file.yaml:1: not valid YAML: while constructing a mapping, found unhashable key"]),
    ],
)
def test_every_mistake_is_told_with_its_line(tmp_path: Path, text: str, expected: list[str]) -> None:
    """All mistakes, sorted by line."""
    assert _mistakes(tmp_path, text) == expected


def test_a_file_that_can_t_be_read(tmp_path: Path) -> None:
    """A missing one, a folder, and one that is no text."""
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"title: \xff")
    for path, message in (
        (tmp_path / "none.yaml", "can't be read: No such file or directory"),
        (tmp_path, "can't be read: Is a directory"),
        (binary, "isn't UTF-8 text (byte 7)"),
    ):
        with pytest.raises(BadInputError) as caught:
            load_yaml_model(path, Whole)
        assert str(caught.value) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("20s", 20),
        ("5m", 300),
        ("1h30m", 5400),
        ("3d", 259200),
        ("2w", 1209600),
        ("1.5s", 1.5),
        ("0s", 0),
    ],
)
def test_durations_are_read_and_written(text: str, seconds: float) -> None:
    """What is written can be read again."""
    assert parse_duration(text) == pytest.approx(seconds)
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "-5s", "5 s", "5y", "s5"])
def test_what_is_no_duration(text: str) -> None:
    """A number needs its unit."""
    with pytest.raises(ValueError, match="expected a duration such as"):
        parse_duration(text)


def test_code_may_give_seconds() -> None:
    """In code a number is in seconds; a truth value is none, nor is a negative number."""
    assert Whole(title="t", interval=5).every == 5
    for wrong in (True, -1, None):
        with pytest.raises(ValueError, match="expected a duration with its unit"):
            Whole.model_validate({"title": "t", "interval": wrong})
    assert [format_duration(seconds) for seconds in (0, 90, 3600, 0.25)] == ["0ms", "90s", "1h", "250ms"]
