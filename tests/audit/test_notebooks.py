"""Notebooks as source, with the place of each line."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest

from claudescope.audit.notebooks import NotebookError, notebook_source


def _notebook(*cells: object, indent: int | None = 1, **metadata: Any) -> str:
    found = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": cell} for cell in cells]
    return json.dumps({"cells": found, "metadata": metadata, "nbformat": 4}, indent=indent)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (["import anthropic\n", "x = 1"], ["import anthropic", "x = 1"]),
        ("import anthropic\nx = 1", ["import anthropic", "x = 1"]),
        (["a = ", "1\n", "b = 2\n"], ["a = 1", "b = 2"]),
        (["%matplotlib inline\n", "!pip install x\n", "?print\n", "print?\n", "x = 1"], ["", "", "", "", "x = 1"]),
        (["if x:\n", "    !ls\n", "y = !ls\n", "z = %sx ls"], ["if x:", "    pass", "y = None", "z = None"]),
        (["%%time\n", "x = 1"], ["", "x = 1"]),
        (["%time x = call()\n", "if x:\n", "    %timeit -n 10 -q call()"], ["x = call()", "if x:", "    call()"]),
        (["!pip install a \\\n", "    b\n", "x = 1"], ["", "", "x = 1"]),
        (["%%timeit_all\n", "x ="], ["", ""]),
        (["%%bash\n", "echo $x"], ["", ""]),
        (["x = (a\n", "% b)"], ["x = (a", "% b)"]),
        (["await call()"], ["await call()"]),
        (["def broken("], [""]),
        ([], [""]),
        (None, [""]),
        ('text = "\\u2028\\f"', ['text = "\\u2028\\f"']),
    ],
)
def test_cells_become_source(source: object, expected: list[str]) -> None:
    """Lists and texts, magics and shell commands, drafts that are no Python: the result has each line, and parses."""
    found = notebook_source(_notebook(source))
    assert found
    assert found.text.split("\n")[:-1] == expected
    assert len(found.line_map) == len(found.text.split("\n"))
    ast.parse(found.text)


def test_each_line_knows_its_place() -> None:
    """A line has the line of the file that its text stands on, whatever else the notebook holds."""
    text = _notebook(["one = 1\n", "two = 2"], "three = 3\nfour = 4")
    text = text.replace('"metadata": {}', '"metadata": {"source": ["no", {"a": [1, [2], "}]"]}]}', 1)
    found = notebook_source(text)
    assert found
    lines = text.split("\n")
    for source, place in zip(found.text.split("\n")[:4], found.line_map, strict=False):
        assert source in lines[place - 1]


def test_one_line_notebooks() -> None:
    """Where a tool has written the notebook on one line, everything is on line 1."""
    found = notebook_source(_notebook(["a = 1\n", "b = 2"], indent=None))
    assert found == ("a = 1\nb = 2\n", (1, 1, 1), ())


def test_a_draft_hides_no_other_cell() -> None:
    """A cell that is not valid Python is left out, and told by its line."""
    text = _notebook("x = 1", "def broken(", "y = 2")
    found = notebook_source(text)
    assert found
    assert found.text == "x = 1\n\ny = 2\n"
    assert ["def broken(" in text.split("\n")[line - 1] for line in found.broken] == [True]


@pytest.mark.parametrize(
    "metadata",
    [{"language_info": {"name": "julia"}}, {"kernelspec": {"language": "R"}}],
)
def test_other_languages_are_left_out(metadata: dict[str, Any]) -> None:
    """A notebook in another language has no Python."""
    assert notebook_source(_notebook("x <- 1", **metadata)) is None


@pytest.mark.parametrize("metadata", [{}, {"language_info": {"name": "python"}}, {"language_info": 3}])
def test_python_is_the_default(metadata: dict[str, Any]) -> None:
    """A notebook that does not say its language is read as Python."""
    assert notebook_source(_notebook("x = 1", **metadata)) is not None


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("", "not valid JSON", 1),
        ('{\n "cells": [}', "not valid JSON", 2),
        ("[]", "it has no list of cells", 1),
        ('{"worksheets": []}', "it has no list of cells", 1),
        ('{"cells": {}}', "it has no list of cells", 1),
        ("[" * 100_000, "nested too deeply", 1),
    ],
)
def test_what_is_no_notebook(text: str, message: str, line: int) -> None:
    """The message says what is wrong, and where."""
    with pytest.raises(NotebookError, match=message) as caught:
        notebook_source(text)
    assert caught.value.line == line


@pytest.mark.parametrize(
    "cells", [[None], ["text"], [{"cell_type": "code"}], [{"cell_type": "code", "source": [1, {}]}]]
)
def test_odd_cells_are_no_crash(cells: list[Any]) -> None:
    """A cell without source, or of another shape, has no lines."""
    found = notebook_source(json.dumps({"cells": cells}))
    assert found is not None
    assert not found.text.strip()
