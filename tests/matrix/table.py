"""The one table: which surface can end how, in which mode, on which SDK. The tests are generated from it.

It knows nothing of the SDK that is installed, so that it is the same whatever runs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

from tests.matrix.driver import Backend
from tests.matrix.endings import ENDINGS, Ending
from tests.matrix.platforms import ANTHROPIC, PLATFORMS, Platform
from tests.matrix.surfaces import SURFACES, Surface
from tests.scripted import server_sent

__all__ = ["LATEST", "VERSIONS", "Cell", "Setting", "cells", "version_key"]

LATEST: Final = "latest"
VERSIONS: Final = ("0.51.0", "0.108.0", "0.125.0", "1.0.0", "1.12.1", "1.14.0", "1.17.0", "2.0.0", LATEST)
"""The SDKs that the matrix runs on: the first, the last, and those at which something that the probe hooks changed."""

Setting = Literal["on", "sampled out", "off", "absent", "made before", "switched twice"]
"""How tracing is set, or what else is unlike the usual: a client made before `instrument`; on, off and on again."""

SETTINGS: Final[tuple[Setting, ...]] = ("sampled out", "off", "absent", "made before", "switched twice")
_MAIN_BACKENDS: Final[tuple[Backend, ...]] = ("sync", "asyncio")

_EVERYWHERE: Final = frozenset({"messages.create", "messages.create(stream=True)", "messages.stream"})
"""What stands for the others: tried with every ending, on trio and, with the typical endings, in every setting and,
beta included, on every platform; on a platform whose streams have a framing of their own with every ending again.

The rest is tried on sync and asyncio, with tracing on, and with one status and one failure of the transport.
"""

_RAW_ON_PLATFORMS: Final = frozenset(
    {
        "messages.with_raw_response.create",
        "messages.with_streaming_response.create.read",
        "messages.with_streaming_response.create(stream=True).parse",
    }
)
"""What is tried on every platform with a few endings."""


@dataclass(frozen=True)
class Cell:
    """One call: how it is made, where, and how it ends."""

    surface: Surface
    ending: Ending
    backend: Backend
    setting: Setting = "on"
    platform: Platform = ANTHROPIC

    @property
    def row(self) -> str:
        """The surface's name in the tables."""
        return self.surface.name if self.platform is ANTHROPIC else f"{self.platform.name}.{self.surface.name}"

    @property
    def name(self) -> str:
        """The cell's name in the tests."""
        return f"{self.row} | {self.ending.name} | {self.backend} | {self.setting}"

    def exists(self, version: str) -> bool:
        """Whether a version of the SDK has it."""
        key = version_key(version)
        since = [self.surface.since, self.platform.since]
        if self.surface.name == "beta.messages.stream":
            since.append(self.platform.beta_stream_since)
        return max(map(version_key, since)) <= key and (
            self.surface.until is None or key < version_key(self.surface.until)
        )


def version_key(version: str) -> tuple[int, ...]:
    """What versions are ordered by."""
    return (1 << 30,) if version == LATEST else tuple(int(part) for part in version.split("."))


def _can(surface: Surface, ending: Ending, *, everywhere: bool) -> bool:
    return (
        surface.sort in ending.sorts
        and (surface.is_chat or not ending.chat_only)
        and (ending.everywhere or not everywhere)
        and (ending.brief or not surface.brief)
    )


def _modes(surface: Surface, ending: Ending) -> Iterator[tuple[Backend, Setting]]:
    """The modes in which a surface and an ending are tried on Anthropic's own platform."""
    if surface.name.removeprefix("beta.") in _EVERYWHERE:
        yield "trio", "on"
    for backend in _MAIN_BACKENDS:
        yield backend, "on"
        if surface.name in _EVERYWHERE and ending.everywhere and ending.typical:
            for setting in SETTINGS:
                yield backend, setting


def _all() -> Iterator[Cell]:
    for surface, ending in product(SURFACES, ENDINGS):
        stands_for_others = surface.name.removeprefix("beta.") in _EVERYWHERE
        if _can(surface, ending, everywhere=not stands_for_others):
            for backend, setting in _modes(surface, ending):
                if backend in ending.backends:
                    yield Cell(surface, ending, backend, setting)
    for platform, surface, ending, backend in product(PLATFORMS, SURFACES, ENDINGS, _MAIN_BACKENDS):
        stands_for_others = surface.name.removeprefix("beta.") in _EVERYWHERE
        whole = platform.frame is not server_sent  # a framing of its own may end in ways of its own
        tried = (stands_for_others and (whole or ending.typical)) or (
            ending.brief and surface.name in _RAW_ON_PLATFORMS
        )
        if tried and _can(surface, ending, everywhere=True) and backend in ending.backends:
            yield Cell(surface, ending, backend, platform=platform)


_CELLS: Final = tuple(_all())


def cells(version: str) -> list[Cell]:
    """The cells that a version of the SDK has."""
    return [cell for cell in _CELLS if cell.exists(version)]
