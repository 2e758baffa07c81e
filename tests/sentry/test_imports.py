"""Sentry's SDK is asked for only where it is used, and a missing one is named with the command that installs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import claudescope.sentry

_WITHOUT = "import sys; sys.modules['sentry_sdk'] = None; "


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - ours


@pytest.mark.parametrize("name", claudescope.sentry.__all__)
def test_missing(name: str) -> None:
    """Without Sentry's SDK every name gives the exact pip command."""
    done = _python(f"{_WITHOUT}from claudescope.sentry import {name}")
    assert done.stderr.splitlines()[-1] == (
        f"claudescope.MissingExtraError: claudescope.sentry.{name} needs the package 'sentry_sdk'. "
        "Install it with: pip install 'claudescope[sentry]'"
    )


def test_not_needed() -> None:
    """Neither claudescope nor the generators import Sentry's SDK."""
    code = "import claudescope, claudescope.cli, claudescope.sentry.as_code; claudescope.instrument()"
    done = _python(f"import sys; {code}; print('sentry_sdk' in sys.modules)")
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_unknown_name() -> None:
    """A misspelt name is an AttributeError as in any module."""
    with pytest.raises(AttributeError, match="has no attribute 'ClaudeIntegration'"):
        getattr(claudescope.sentry, "ClaudeIntegration")  # noqa: B009 - checkers know that it is not there
