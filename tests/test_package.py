"""What the package offers, and how its files are kept."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import claudescope

_ROOT = Path(__file__).parents[1]
_SOURCES = sorted(path for root in ("instrumentation", "dashboards", "alerts") for path in (_ROOT / root).rglob("*.py"))


def test_the_public_names() -> None:
    """The root offers these names and no others; a change here is a change for users."""
    assert claudescope.__all__ == [
        "Attempt",
        "BadInputError",
        "CallRecord",
        "Content",
        "ErrorType",
        "MissingExtraError",
        "Price",
        "RateLimit",
        "Report",
        "Sink",
        "Usage",
        "__version__",
        "classify",
        "complete",
        "configure",
        "fallback",
        "instrument",
        "partial_message",
        "policy",
        "progress",
        "protect",
        "report",
        "uninstrument",
        "unprotect",
        "user_message",
        "workflow",
    ]
    assert [name for name in claudescope.__all__ if not hasattr(claudescope, name)] == []


def test_the_version_is_the_distributions() -> None:
    """There is one version number."""
    assert claudescope.__version__ == version("claudescope")


def test_modules_stay_small() -> None:
    """No module grows over 400 lines: a newcomer has to find things."""
    assert {path.name: lines for path in _SOURCES if (lines := len(path.read_text().splitlines())) > 400} == {}


def test_every_module_says_what_it_exports() -> None:
    """Every public module has a docstring; those with an `__all__` keep it sorted by ruff."""
    assert [path.name for path in _SOURCES if not path.read_text().startswith('"""')] == []
