"""The pages of the Python API: each public module, with what its `__all__` names. mkdocstrings writes the rest."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Final

__all__ = ["API_MODULES", "api_pages"]

API_MODULES: Final[Mapping[str, str]] = {
    "claudescope": "Instrument an app, label calls, classify errors, read the report.",
    "claudescope.schema.record": "The facts of a call, as sinks receive them.",
    "claudescope.schema.error_types": "The table of error types.",
    "claudescope.sinks": "The base class of sinks. [Write a sink](../../how-to/write-a-sink.md) shows an example.",
    "claudescope.sentry": "Failed calls in Sentry. See [Sentry](../../sentry.md).",
    "claudescope.doctor": "The checks of `claudescope doctor`. See [Troubleshooting](../../doctor.md).",
    "claudescope.testing": "Helpers for the tests of your app. See [Test your app](../../how-to/test-your-app.md).",
    "claudescope.testing.fixtures": "The same helpers as pytest fixtures.",
    "claudescope.simulator": "The simulated API. See [Simulate the API](../../how-to/simulate.md).",
}
"""The public modules, each with a sentence that introduces its page."""


def api_pages() -> dict[str, str]:
    """Each page of the API by its path below `docs/`."""
    pages = {f"reference/api/{name}.md": _page(name, words) for name, words in API_MODULES.items()}
    rows = "".join(f"- [`{name}`]({name}.md): {words}\n" for name, words in API_MODULES.items())
    pages["reference/api/index.md"] = f"# Python API\n\nThe public modules and every name that they export.\n\n{rows}"
    return pages


def _page(name: str, words: str) -> str:
    members = [member for member in import_module(name).__all__ if member != "__version__"]
    entries = "\n".join(f"::: {name}.{member}\n" for member in members)
    return f"# `{name}`\n\n{words}\n\n{entries}"
