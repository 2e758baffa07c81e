"""Turns a Jupyter notebook into one Python source, and remembers where each line stands in the `.ipynb` file."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from claudescope._internal.json_values import is_array, is_object

__all__ = ["NotebookError", "NotebookSource", "notebook_source"]

# In valid JSON, which has been parsed before, these are all tokens that matter for positions.
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]')

# Cell magics whose body is Python in this kernel. The body of all others is another language or another process.
_PYTHON_CELLS: Final = ("%%time", "%%timeit", "%%capture", "%%prun", "%%memit")

_PIECE: Final = re.compile(r"[^\n]*\n|[^\n]+")
# What these magics time is Python.
_TIMED: Final = re.compile(r"(?P<indent>\s*)%(?:time|timeit|prun|memit)\s+(?:-\w+(?:\s+\d+)?\s+)*(?P<code>.+)")
_MAGIC: Final = re.compile(r"(?P<indent>\s*)(?:[%!?]|[\w.]+\?{1,2}\s*$)")
_ASSIGNED: Final = re.compile(r"(?P<target>\s*[\w., \[\]'\"]+=\s*)[%!]")


class NotebookError(ValueError):
    """The file is not a notebook. `line` is the line of the mistake."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


class NotebookSource(NamedTuple):
    """A notebook as one Python source.

    Attributes:
        text: The source.
        line_map: The line in the file of each line of `text`.
        broken: The line in the file of each cell that is not valid Python, which is blank in `text`.
    """

    text: str
    line_map: tuple[int, ...]
    broken: tuple[int, ...]


class _Cell(NamedTuple):
    lines: list[str]
    places: list[int]


def notebook_source(text: str) -> NotebookSource | None:
    """Return the Python source of a notebook's code cells, with the place of each line.

    Magics and shell commands become blank. A cell that is not valid Python becomes blank too, as one draft cell must
    not hide the others.

    Args:
        text: The content of the `.ipynb` file.

    Returns:
        None for a notebook in another language.

    Raises:
        NotebookError: The file is not JSON, or not a notebook of format 4.
    """
    try:
        notebook: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise NotebookError(f"not valid JSON: {error.msg}", error.lineno) from None
    except RecursionError:
        raise NotebookError("not a notebook: its JSON is nested too deeply") from None
    if not is_object(notebook) or not is_array(notebook.get("cells")):
        raise NotebookError("not a notebook of format 4: it has no list of cells")
    if _language(notebook) not in {"python", ""}:
        return None
    places = _places(text)
    lines: list[str] = []
    line_map: list[int] = []
    broken: list[int] = []
    for number, cell in enumerate(notebook["cells"]):
        if is_object(cell) and cell.get("cell_type") == "code":
            code = _cell(cell.get("source"), places, number)
            source = _without_magics(code.lines)
            if source is None:
                broken.append(code.places[0])
            lines += source or [""] * len(code.lines)
            line_map += code.places
    return NotebookSource("\n".join([*lines, ""]), (*line_map, line_map[-1] if line_map else 1), tuple(broken))


def _language(notebook: Mapping[str, Any]) -> str:
    metadata = notebook.get("metadata")
    if not is_object(metadata):
        return ""
    for section, key in (("language_info", "name"), ("kernelspec", "language")):
        part = metadata.get(section)
        if is_object(part) and isinstance(part.get(key), str):
            return str(part[key]).lower().removeprefix("i")
    return ""


def _cell(source: Any, places: Mapping[tuple[int, int], int], number: int) -> _Cell:
    """The lines of a cell. Its source is a text, or a list of texts that each end a line or do not."""
    parts: Sequence[Any] = source if is_array(source) else [source]
    lines: list[str] = [""]
    found: list[int] = []
    for index, part in enumerate(part for part in parts if isinstance(part, str)):
        place = places.get((number, index), found[-1] if found else 1)
        for piece in _PIECE.findall(part.replace("\r\n", "\n").replace("\r", "\n")):
            if len(found) < len(lines):
                found.append(place)
            lines[-1] += piece
            if piece.endswith("\n"):
                lines.append("")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    found += [found[-1] if found else 1] * (len(lines) - len(found))
    return _Cell([line.removesuffix("\n") for line in lines], found[: len(lines)])


def _places(text: str) -> dict[tuple[int, int], int]:
    """The line of each text in a cell's source, by the number of the cell and of the text."""
    places: dict[tuple[int, int], int] = {}
    for path, line in _texts(text):
        match path:
            case ["cells", int(cell), "source"]:
                places[cell, 0] = line
            case ["cells", int(cell), "source", int(index)]:
                places[cell, index] = line
            case _:
                pass
    return places


def _texts(text: str) -> Iterator[tuple[list[str | int], int]]:
    """Every text that is a value, with its keys and indices from the root, and its line."""
    path: list[str | int] = []
    is_object: list[bool] = []
    key_next = False
    line = 1
    end = 0
    for token in _TOKEN.finditer(text):
        line += text.count("\n", end, token.start())
        end = token.start()
        word = token[0]
        if word in "{[":
            is_object.append(word == "{")
            path.append("" if word == "{" else 0)
            key_next = word == "{"
        elif word in "}]":
            is_object.pop()
            path.pop()
            key_next = False
        elif word == ",":
            key_next = is_object[-1]
            if not key_next:
                path[-1] = int(path[-1]) + 1
        elif word == ":":
            key_next = False
        elif key_next:
            path[-1] = str(json.loads(word))
        else:
            yield path, line


def _without_magics(lines: list[str]) -> list[str] | None:
    """The same number of lines, as valid Python; None if they are not."""
    if _is_python(lines):
        return lines
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%") and first.split()[0] not in _PYTHON_CELLS:
        return [""] * len(lines)
    cleaned: list[str] = []
    goes_on = False  # a magic, over the end of its line
    for line in lines:
        source = "" if goes_on else _without_magic(line)
        goes_on = source != line and line.endswith("\\")
        cleaned.append(source)
    return cleaned if _is_python(cleaned) else None


def _without_magic(line: str) -> str:
    if found := _TIMED.fullmatch(line):
        return f"{found['indent']}{found['code']}"
    if found := _MAGIC.match(line):
        return f"{found['indent']}pass" if found["indent"] else ""
    if found := _ASSIGNED.match(line):
        return f"{found['target']}None"
    return line


def _is_python(lines: list[str]) -> bool:
    try:
        ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
