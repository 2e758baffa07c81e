"""A status line on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from claudescope.web.follow.state import State

__all__ = ["status"]


@contextmanager
def status(console: Console | None) -> Generator[Callable[[State], object]]:
    """Show states on a line of a terminal, and the last one where it is no success. Elsewhere, each is a line.

    Args:
        console: Where to write; standard error by default.
    """
    out = console or Console(stderr=True)
    if not out.is_terminal:
        yield lambda state: out.print(_line(state), highlight=False)
        return
    last: list[State] = []
    with out.status("") as shown:

        def write(state: State) -> None:
            shown.update(_line(state))
            last[:] = [state]

        yield write
    if last and (last[0].name != "done" or last[0].degraded_by is not None):
        out.print(_line(last[0]), highlight=False)


def _line(state: State) -> str:
    minutes, seconds = divmod(int(state.elapsed), 60)
    return f"{escape(state.message)} [dim]{minutes}:{seconds:02}[/dim]"
