"""Real Prometheus and Alertmanager, of the oldest and of the newest version, for the tests of alerts."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest

from claudescope_alerts.build import build
from claudescope_alerts.spec.model import load_spec
from tests.components import require

SUITES = (pytest.param("bookworm", marks=pytest.mark.release), "sid")
"""The oldest versions that generated files must load in, and the newest."""


@functools.cache
def default_build() -> dict[str, str]:
    """The build of the default spec. A test that changes it makes a copy."""
    return build(load_spec())


def program(suite: str, name: str) -> Path:
    """A downloaded program; the test is skipped where it was not downloaded."""
    return require(suite, name)


def tools(monkeypatch: pytest.MonkeyPatch, suite: str, *names: str) -> None:
    """Put the programs of a suite, and no other validator, on the PATH."""
    folders = [str(program(suite, name).parent) for name in names]
    monkeypatch.setenv("PATH", os.pathsep.join(dict.fromkeys(folders)))


@pytest.fixture(params=SUITES)
def suite(request: pytest.FixtureRequest) -> str:
    """Each version in turn: Prometheus 2.42 with Alertmanager 0.25, and what Debian's unstable has."""
    return str(request.param)
