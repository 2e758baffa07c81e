"""The formats of an audit's result, one module each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from claudescope.audit.formats.github import as_github
from claudescope.audit.formats.json import as_json
from claudescope.audit.formats.markdown import as_markdown
from claudescope.audit.formats.sarif import as_sarif
from claudescope.audit.formats.table import as_table
from claudescope.audit.scan import Outcome

__all__ = ["FORMATS"]

FORMATS: Final[Mapping[str, Callable[[Outcome], str]]] = MappingProxyType(
    {"table": as_table, "json": as_json, "sarif": as_sarif, "github": as_github, "markdown": as_markdown}
)
"""What writes each format, by its name on the command line."""
