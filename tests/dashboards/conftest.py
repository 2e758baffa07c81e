"""The boards of the default spec, as built."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from claudescope_alerts.spec.model import load_spec
from claudescope_dashboards.build import build, dashboards_of

__all__ = ["default_dashboards", "default_files"]


@functools.cache
def default_dashboards() -> Mapping[str, Mapping[str, Any]]:
    """The boards of the default spec by name; whoever changes one makes a copy."""
    return dashboards_of(load_spec())


@functools.cache
def default_files() -> Mapping[str, str]:
    """All files of the default spec by path."""
    return build(load_spec())
