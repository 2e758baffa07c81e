"""The dashboards and files that are built from the default spec."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from claudescope_alerts.spec.model import load_spec
from claudescope_dashboards.build import build, dashboards_of

__all__ = ["default_dashboards", "default_files"]


@functools.cache
def default_dashboards() -> Mapping[str, Mapping[str, Any]]:
    """Return the dashboards of the default spec by name. Copy one before changing it."""
    return dashboards_of(load_spec())


@functools.cache
def default_files() -> Mapping[str, str]:
    """Return all files of the default spec by path."""
    return build(load_spec())
