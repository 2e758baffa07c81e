"""Reads a YAML file into a pydantic model, and reports the file and the line of every mistake in it.

Needs the packages `pydantic` and `pyyaml`.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ValidationError, ValidationInfo
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from claudescope._internal.durations import format_duration, parse_duration
from claudescope._internal.exceptions import BadInputError, did_you_mean

__all__ = ["Duration", "Mistakes", "format_duration", "load_yaml_model", "parse_duration"]

M = TypeVar("M", bound=BaseModel)

_YAML_CONTEXT = {"durations_need_units": True}
_MERGE_TAG = "tag:yaml.org,2002:merge"
_TEXT_TAG = "tag:yaml.org,2002:str"
_INT_TAG = "tag:yaml.org,2002:int"
_PLAIN_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_YAML_TYPES = {
    "tag:yaml.org,2002:bool": "true or false",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:null": "nothing",
    "tag:yaml.org,2002:timestamp": "a date",
    _INT_TAG: "a number",
}
_PLAIN_WORDS = {
    "dict_type": "expected a mapping",
    "model_type": "expected a mapping",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "string_type": "expected a text",
    "bool_type": "expected true or false",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "finite_number": "expected a number that is not infinite",
}


def _duration(value: object, info: ValidationInfo) -> float:
    if isinstance(value, str):
        return parse_duration(value)
    # In code a number means seconds, as documented; in a file, 20 may be meant as minutes.
    if isinstance(value, (int, float)) and not isinstance(value, bool) and not info.context and value >= 0:
        return float(value)
    raise ValueError("expected a duration with its unit, such as '250ms', '20s' or '5m'")


Duration = Annotated[float, BeforeValidator(_duration)]
"""A duration in seconds. A file writes it with its unit (`20s`); code may also pass seconds as a number."""


Mistakes = Iterable[tuple[tuple[int | str, ...], str]]
"""What is wrong with a document beyond its model: the keys that lead to each place, and the message."""


def load_yaml_model(path: Path, model: type[M], check: Callable[[M], Mistakes] | None = None) -> M:
    """Read one YAML document and validate it.

    Args:
        path: The file. Messages name it as given here.
        model: The model. Unknown keys are reported if it forbids them (`extra="forbid"`).
        check: Finds mistakes in a document that matches the model; None for none.

    Raises:
        BadInputError: The file can't be read, is not YAML, repeats a key, or does not match the model. The message has
            one line for each mistake, which starts with `file:line:`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"{path}: can't be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path}: isn't UTF-8 text (byte {error.start})") from None
    root, document = _parse(path, text, model)
    try:
        loaded = model.model_validate(document, context=_YAML_CONTEXT)
    except ValidationError as invalid:
        mistakes = [_mistake(error, root, model) for error in invalid.errors(include_url=False)]
        raise BadInputError(_report(path, _told(mistakes))) from None
    found = [_Mistake(*_find(root, keys)[1:], message) for keys, message in check(loaded)] if check else []
    if found:
        raise BadInputError(_report(path, _told(found)))
    return loaded


def _parse(path: Path, text: str, model: type[BaseModel]) -> tuple[yaml.Node, object]:
    """The document of a file, as nodes, which know their lines, and as values."""
    root: yaml.Node | None = None
    try:
        loader = yaml.SafeLoader(text)
        root = _checked(path, loader.get_single_node(), model)
        return root, loader.construct_document(root)  # pyright: ignore[reportUnknownMemberType]
    except yaml.MarkedYAMLError as error:
        raise BadInputError(_syntax_message(path, error)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BadInputError(f"{path}:{line}: YAML doesn't allow the character {chr(error.character)!r}") from None
    except BadInputError:
        raise
    except RecursionError:
        raise BadInputError(f"{path}:1: the values are nested too deeply. Expected a few levels") from None
    except ValueError as error:
        # PyYAML reads 2026-13-45 as a date, fails, and doesn't say where.
        line = _line_of_bad_scalar(root)
        raise BadInputError(f"{path}:{line}: {error}. Quote the value if it is a text") from None


def _checked(path: Path, root: yaml.Node | None, model: type[BaseModel]) -> yaml.Node:
    if root is None:
        raise BadInputError(f"{path}:1: the file is empty. Expected the keys {_listed(_keys(model))}")
    mistakes = [*_repeated_keys(root, set()), *_bent_numbers(root)]
    if mistakes:
        raise BadInputError(_report(path, mistakes))
    return root


def _bent_numbers(root: yaml.Node) -> Iterator[tuple[int, str]]:
    """Whole numbers that YAML 1.1 does not read as they look: 17:00 is 1020, and 010 is 8."""
    for scalar in _scalars(root, set()):
        written = str(scalar.value)
        if scalar.tag == _INT_TAG and not _PLAIN_INT.fullmatch(written):
            yield _line(scalar), f"YAML reads {written} as a number of another form. Quote it if it is a text"


def _line_of_bad_scalar(node: yaml.Node | None) -> int:
    """The first line with a scalar that can't be constructed."""
    return next((_line(scalar) for scalar in _scalars(node, set()) if not _constructs(scalar)), 1)


def _constructs(scalar: yaml.Node) -> bool:
    try:
        yaml.SafeLoader("").construct_document(scalar)  # pyright: ignore[reportUnknownMemberType]
    except ValueError:
        return False
    return True


def _scalars(node: yaml.Node | None, seen: set[int]) -> Iterator[yaml.Node]:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.MappingNode):
        for pair in _pairs(node):
            for part in pair:
                yield from _scalars(part, seen)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _scalars(item, seen)


def _report(path: Path, mistakes: Iterable[tuple[int, str]]) -> str:
    return "\n".join(f"{path}:{line}: {message}" for line, message in sorted(dict.fromkeys(mistakes)))


def _syntax_message(path: Path, error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    because = ", ".join(part for part in (error.context, error.problem) if part)
    return f"{where}: not valid YAML: {because}"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _pairs(node: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
    return list(node.value)


def _repeated_keys(node: yaml.Node, seen: set[int]) -> Iterator[tuple[int, str]]:
    if id(node) in seen:  # an alias, which may even hold itself
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in _pairs(node):
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE_TAG:
                name = str(key.value)
                if name in first:
                    yield _line(key), f"the key {name!r} is there already, in line {first[name]}. Remove one of them"
                first.setdefault(name, _line(key))
            yield from _repeated_keys(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item, seen)


def _child(node: yaml.Node, step: int | str) -> tuple[yaml.Node, yaml.Node] | None:
    """The node that holds the name of a part, and the part, or None if the file has no such part."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    if isinstance(node, yaml.MappingNode):
        # From the end: the constructor has put what `<<` merges before a mapping's own keys, which win.
        for key, value in reversed(_pairs(node)):
            if isinstance(key, yaml.ScalarNode) and str(key.value) == str(step):
                return key, value
    return None


class _Mistake(NamedTuple):
    line: int
    path: str
    message: str
    got: str = ""


def _told(mistakes: Iterable[_Mistake]) -> Iterator[tuple[int, str]]:
    """One text for each place: what the branches of a union expect there is joined."""
    places: dict[tuple[int, str, str], list[str]] = {}
    for mistake in mistakes:
        messages = places.setdefault((mistake.line, mistake.path, mistake.got), [])
        if mistake.message not in messages:
            messages.append(mistake.message)
    for (line, path, got), messages in places.items():
        joined = " or ".join([messages[0], *(message.removeprefix("expected ") for message in messages[1:])])
        yield line, (f"{path}: " if path else "") + joined + got


class _Place(NamedTuple):
    """Where in the file a pydantic error is, and what is there.

    Attributes:
        node: The value.
        line: Its line, or that of its key.
        path: Its keys, such as `objectives[0].target`.
        last: The last step of the error, which for a missing key is not in the file.
        model: The model of the whole file.
    """

    node: yaml.Node
    line: int
    path: str
    last: str
    model: type[BaseModel]


def _mistake(error: ErrorDetails, root: yaml.Node, model: type[BaseModel]) -> _Mistake:
    """One pydantic error in terms of the file."""
    place = _Place(*_find(root, error["loc"]), str(error["loc"][-1]) if error["loc"] else "", model)
    return _MISTAKES.get(error["type"], _wrong_value)(error, place)


def _find(root: yaml.Node, keys: Iterable[int | str]) -> tuple[yaml.Node, int, str]:
    """The node that keys lead to, its line, and the keys as one text."""
    node, line, path = root, _line(root), ""
    for step in keys:
        found = _child(node, step)
        if found is None:  # a missing key, or the name of a branch of a union, which is not in the file
            continue
        key, node = found
        line = _line(key)
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return node, line, path


def _missing_key(_: ErrorDetails, place: _Place) -> _Mistake:
    return _Mistake(place.line, place.path, f"the key {place.last!r} is missing")


def _unquoted_key(error: ErrorDetails, place: _Place) -> _Mistake:
    if not isinstance(place.node, yaml.MappingNode):
        return _wrong_value(error, place)
    key = next(key for key, _ in _pairs(place.node) if key.tag != _TEXT_TAG)
    shown = repr(str(key.value)) if isinstance(key, yaml.ScalarNode) else "here"
    return _Mistake(_line(key), place.path, f"the key {shown} isn't a text in YAML. Quote it if it is meant as one")


def _unknown_key(error: ErrorDetails, place: _Place) -> _Mistake:
    known = sorted({key for owner in _models_at(place.model, error["loc"][:-1]) for key in _keys(owner)})
    hint = did_you_mean(place.last, known)
    return _Mistake(place.line, place.path, f"unknown key {place.last!r}.{hint} Known keys: {_listed(known)}")


def _broken_rule(error: ErrorDetails, place: _Place) -> _Mistake:
    if isinstance(place.node, yaml.ScalarNode):
        return _wrong_value(error, place)
    return _Mistake(place.line, place.path, _message(error))  # a rule of the model about all of it


def _secret(error: ErrorDetails, place: _Place) -> _Mistake:
    """A value that may hold a key or a password is not repeated."""
    return _Mistake(place.line, place.path, _message(error))


def _wrong_choice(error: ErrorDetails, place: _Place) -> _Mistake:
    mistake = _wrong_value(error, place)
    expected = re.findall(r"'([^']*)'", str(error.get("ctx", {}).get("expected", "")))
    if place.last == "[key]":
        name = str(error["input"])
        hint = did_you_mean(name, expected)
        return _Mistake(place.line, place.path, f"unknown key {name!r}.{hint} Known keys: {_listed(expected)}")
    if not isinstance(place.node, yaml.ScalarNode):
        return mistake
    hint = f".{did_you_mean(str(place.node.value), expected)}".removesuffix(".")
    return mistake._replace(got=mistake.got + hint)


def _wrong_value(error: ErrorDetails, place: _Place) -> _Mistake:
    if isinstance(place.node, yaml.ScalarNode):
        written = str(place.node.value)
        got = f", got {written!r}" if written or place.node.style else ", got nothing"
        if error["type"] == "string_type" and written:
            got += f", which YAML reads as {_YAML_TYPES.get(place.node.tag, 'another type')}. Quote it"
    else:
        got = ", got a mapping" if isinstance(place.node, yaml.MappingNode) else ", got a list"
    return _Mistake(place.line, place.path, _message(error), got)


def _message(error: ErrorDetails) -> str:
    message = _PLAIN_WORDS.get(error["type"]) or error["msg"].replace("Input should be", "expected")
    return message.removeprefix("Value error, ")


_MISTAKES: Final[Mapping[str, Callable[[ErrorDetails, _Place], _Mistake]]] = {
    "missing": _missing_key,
    "invalid_key": _unquoted_key,
    "extra_forbidden": _unknown_key,
    "value_error": _broken_rule,
    "literal_error": _wrong_choice,
    "enum": _wrong_choice,
    "secret": _secret,  # of `PydanticCustomError("secret", ...)`
}
"""How the pydantic errors are told that are not told as a wrong value."""


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _keys(model: type[BaseModel]) -> list[str]:
    return [_key(name, field) for name, field in model.model_fields.items()]


def _key(name: str, field: FieldInfo) -> str:
    """What a field is called in a file."""
    alias = field.validation_alias or field.alias
    return alias if isinstance(alias, str) else name


def _models_at(annotation: Any, loc: Sequence[int | str]) -> Iterator[type[BaseModel]]:
    """The models that an annotation allows at a place, for the list of the keys that are known there."""
    arguments = typing.get_args(annotation)
    if isinstance(annotation, type) and not arguments and issubclass(annotation, BaseModel):
        if not loc:
            yield annotation
            return
        for name, field in annotation.model_fields.items():
            if loc[0] in {name, _key(name, field)}:
                yield from _models_at(field.annotation, loc[1:])
        return
    # A container takes one step of the place; a union or an annotation takes none. Trying both is simpler than knowing.
    for argument in arguments:
        yield from _models_at(argument, loc)
        if loc:
            yield from _models_at(argument, loc[1:])
