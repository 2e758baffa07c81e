"""Remembers the private texts of recent failed calls, and finds them where they are quoted.

Apps pass the API's message on in many forms: as `repr`, as JSON, in lower case, on one line, or only its beginning. So
a text is compared by its letters and digits alone, in lower case and without escapes. Its blocks of `BLOCK` characters
are kept in an index, and a quote of at least `SHORTEST_QUOTE` characters always contains one of these blocks.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from claudescope._internal.fork import renew_in_child

__all__ = ["SHORTEST_QUOTE", "Quotes", "normalise"]

BLOCK: Final = 8
SHORTEST_QUOTE: Final = 2 * BLOCK
"""Letters and digits in a row that make a quote."""

MAX_TEXTS: Final = 64
"""Texts that are remembered at a time."""

MAX_SOURCES: Final = 64
"""What is remembered to have had one text, at a time."""

_SHORTEST_TEXT: Final = 4
_LONGEST_TEXT: Final = 10_000
_LONGEST_TAIL: Final = 2_000
_MAX_OWNERS: Final = 8
"""Texts that are compared for one block."""

_ESCAPE: Final = re.compile(
    r"\\+(?:u([0-9a-f]{4})|x([0-9a-f]{2})|[abfnrtv])|&(?:[a-z]{2,6}|#\d{1,6}|#x[0-9a-f]{1,5});|%([0-9a-f]{2})",
    re.IGNORECASE,
)
_MODEL: Final = re.compile(r"\W*(?:model)?\W*(?:[\w.-]+[./])?claude-[\w.:@-]+\W*")
"""The name of a model. The API quotes it where it knows no such model, and it is no secret."""

_IGNORED: Final = re.compile(r"[\W_]+")


@dataclass(slots=True, eq=False)
class _Text:
    """A remembered text.

    Attributes:
        safe: The replacement.
        normal: The text as it is compared.
        is_cut: Whether the text was too long to be kept whole.
        sources: What had the text, oldest first.
        blocks: Its keys in the index; empty where it is only found whole.
    """

    safe: str
    normal: str
    is_cut: bool
    sources: tuple[object, ...]
    blocks: list[str] = field(default_factory=list[str])


def normalise(text: str) -> str:
    """Return the letters and digits of a text in lower case, without escapes of JSON, Python, HTML and URLs."""
    return _IGNORED.sub("", _ESCAPE.sub(_decode, text)).casefold()


def _decode(escape: re.Match[str]) -> str:
    digits = escape[1] or escape[2] or escape[3]
    return chr(int(digits, 16)) if digits else " "


def _positions(text: str) -> list[tuple[int, int]]:
    """Return where each character of `normalise(text)` comes from."""
    found: list[tuple[int, int]] = []
    at = 0
    for escape in (*_ESCAPE.finditer(text), None):
        until = len(text) if escape is None else escape.start()
        for index in range(at, until):
            if text[index].isalnum():
                found.extend([(index, index + 1)] * len(text[index].casefold()))
        if escape is not None:
            found.extend([escape.span()] * len(_IGNORED.sub("", _decode(escape)).casefold()))
            at = escape.end()
    return found


class Quotes:
    """A bounded memory of private texts. Thread-safe.

    Searching costs time in proportion to the length of what is searched, whatever is remembered.
    """

    def __init__(self) -> None:
        # Reentrant: a finalizer that runs in between may log, and so report an event.
        self._lock = threading.RLock()
        renew_in_child(self, "_lock")
        self._texts: OrderedDict[str, _Text] = OrderedDict()
        self._index: dict[str, list[tuple[_Text, int]]] = {}

    def __bool__(self) -> bool:
        return bool(self._texts)

    def remember(self, text: str, safe: str, *, in_part: bool, source: object = None) -> None:
        """Remember a private text.

        Args:
            text: The text. Of a very long one only the beginning and the end are kept.
            safe: Its replacement.
            in_part: Whether to find it also where it is quoted in part, or in another form.
            source: What `sources` returns for the text; None for nothing.
        """
        if len(text) < _SHORTEST_TEXT:
            return
        is_cut = len(text) > _LONGEST_TEXT
        if is_cut:
            self._remember(text[-_LONGEST_TAIL:], safe, source, is_cut=False, in_part=in_part)
        self._remember(text[:_LONGEST_TEXT], safe, source, is_cut=is_cut, in_part=in_part)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._texts.clear()
            self._index.clear()

    def sources(self, text: str) -> tuple[object, ...]:
        """Return what had the text that a message quotes, oldest first; nothing if it quotes none.

        Args:
            text: The message. Of a very long one only the beginning is searched.
        """
        if not self._texts:
            return ()
        normal = normalise(text[:_LONGEST_TEXT])
        with self._lock:
            for known in reversed(self._texts.values()):
                if known.sources and len(known.normal) >= SHORTEST_QUOTE and known.normal in normal:
                    return known.sources
            runs = [(end - start, known) for start, end, known in self._runs(normal) if known.sources]
        return max(runs, key=lambda run: run[0])[1].sources if runs else ()

    def _remember(self, text: str, safe: str, source: object, *, is_cut: bool, in_part: bool) -> None:
        normal = normalise(text)
        with self._lock:
            before = self._forget(text)
            sources = () if source is None else (*(one for one in before if one is not source), source)[-MAX_SOURCES:]
            remembered = self._texts[text] = _Text(safe, normal, is_cut, sources)
            for start in range(0, len(normal) - BLOCK + 1, BLOCK) if in_part else ():
                block = normal[start : start + BLOCK]
                owners = self._index.setdefault(block, [])
                owners.append((remembered, start))
                del owners[:-_MAX_OWNERS]
                remembered.blocks.append(block)
            while len(self._texts) > MAX_TEXTS:
                self._forget(next(iter(self._texts)))

    def _forget(self, text: str) -> tuple[object, ...]:
        """Forget a text. Returns its sources."""
        known = self._texts.pop(text, None)
        for block in () if known is None else known.blocks:
            owners = [owner for owner in self._index.get(block, ()) if owner[0] is not known]
            if owners:
                self._index[block] = owners
            else:
                self._index.pop(block, None)
        return () if known is None else known.sources

    def redact(self, text: str, *, is_message: bool) -> str:
        """Return `text` with replacements for everything in it that is remembered.

        Args:
            text: The text.
            is_message: Whether it is a message. Elsewhere a word such as "reset" is most likely something else, so a
                remembered text without a quote's length has to be all of `text`.
        """
        if not self._texts:
            return text
        with self._lock:
            found = [
                (private, known)
                for private, known in self._texts.items()
                if private in text and (is_message or len(private) >= SHORTEST_QUOTE or private == text)
            ]
        for private, known in sorted(found, key=lambda pair: -len(pair[0])):
            # Only the beginning of a very long text is kept, so everything after it is removed as well.
            text = text.partition(private)[0] + known.safe if known.is_cut else text.replace(private, known.safe)
        normal = normalise(text)
        if len(normal) < SHORTEST_QUOTE:
            return text
        with self._lock:
            runs = _merged(self._runs(normal), len(normal))
        if not runs:
            return text
        positions = _positions(text)
        for start, end, safe in reversed(runs):
            until = len(text) if end == len(normal) else positions[end - 1][1]
            if _MODEL.fullmatch(text, positions[start][0], until):
                continue
            text = text[: positions[start][0]] + safe + text[until:]
        return text

    def _runs(self, normal: str) -> Iterator[tuple[int, int, _Text]]:
        """Yield start, end and text of every quote in a normalised text."""
        index, at, last = self._index, 0, 0
        while at <= len(normal) - BLOCK:
            owners = index.get(normal[at : at + BLOCK])
            if owners is not None:
                start, end, known = max(
                    ((*_extend(normal, at, last, known.normal, offset), known) for known, offset in owners),
                    key=lambda run: run[1] - run[0],
                )
                if end - start >= SHORTEST_QUOTE:
                    is_open = known.is_cut and normal.startswith(known.normal[-BLOCK:], end - BLOCK)
                    yield start, len(normal) if is_open else end, known
                    at = last = end
                    continue
            at += 1


def _extend(normal: str, at: int, first: int, private: str, offset: int) -> tuple[int, int]:
    """Extend a common block of two texts in both directions. Returns its start and end in the first."""
    start, end = at, at + BLOCK
    while start > first and offset > 0 and normal[start - 1] == private[offset - 1]:
        start, offset = start - 1, offset - 1
    offset += end - start
    while end < len(normal) and offset < len(private) and normal[end] == private[offset]:
        end, offset = end + 1, offset + 1
    return start, end


def _merged(runs: Iterator[tuple[int, int, _Text]], length: int) -> list[tuple[int, int, str]]:
    """Join quotes with less than a quote between them: what stands there is most likely private too."""
    merged: list[tuple[int, int, str]] = []
    for start, end, known in runs:
        if merged and start - merged[-1][1] < SHORTEST_QUOTE:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]), merged[-1][2])
        else:
            merged.append((start, min(end, length), known.safe))
    return merged
