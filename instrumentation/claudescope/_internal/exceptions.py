"""The exceptions that claudescope raises: for bad input, and for optional packages that are not installed.

Each has one clear message, which the command line prints before it exits with 2.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from types import ModuleType

__all__ = ["BadInputError", "MissingExtraError", "did_you_mean", "require"]


class BadInputError(ValueError):
    """An option, an argument or a file has a value that can't be used.

    The message names the value, its file and line if it has one, what is expected and how to fix it.
    """

    __module__ = "claudescope"  # as users import it, and as tracebacks show it


class MissingExtraError(ImportError):
    """A feature needs a package that an extra of claudescope installs."""

    __module__ = "claudescope"


def require(module: str, *, extra: str, feature: str) -> ModuleType:
    """Import a module that an extra installs.

    Args:
        module: Dotted name of the module, such as `"uvicorn"`.
        extra: The extra that installs it, such as `"simulator"`.
        feature: What needs the module; the message begins with it.

    Returns:
        The imported module.

    Raises:
        MissingExtraError: The package is not installed. The message gives the exact install command.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise  # the package is there, and something inside it is broken
        raise MissingExtraError(
            f"{feature} needs the package {error.name!r}. Install it with: pip install 'claudescope[{extra}]'",
            name=error.name,
        ) from error


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `" Did you mean 'x'?"` for the most similar known word, or `""` where none is similar."""
    import difflib  # late, as few apps make a mistake

    near = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
