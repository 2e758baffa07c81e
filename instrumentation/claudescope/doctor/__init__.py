"""Checks the environment of an app, and says how to fix each problem.

finding      the result of a check
installed    checks the SDK, and other instrumentations that duplicate telemetry
environment  checks for environment variables that are invalid, unknown or contradictory
privacy      checks what leaves the process: content, baggage
exporters    checks where telemetry goes, and whether the receivers answer
running      checks what is enabled in this process, once the app has been imported
"""

from __future__ import annotations

from claudescope.doctor.environment import check_environment
from claudescope.doctor.exporters import check_exporters
from claudescope.doctor.finding import Finding, Level
from claudescope.doctor.installed import check_installed
from claudescope.doctor.privacy import check_privacy
from claudescope.doctor.running import check_running

__all__ = ["Finding", "Level", "run_checks"]


def run_checks(*, connect: bool = True) -> list[Finding]:
    """Check this process: installed packages, environment, exporters and enabled instrumentations.

    Args:
        connect: Send an empty request to each OTLP endpoint, and check whether the port for Prometheus is free.

    Returns:
        The findings, in the order of the checks. There is no problem if no finding has the level `error`.
    """
    return [
        *check_installed(),
        *check_environment(),
        *check_exporters(connect=connect),
        *check_privacy(),
        *check_running(),
    ]
