"""Looks at where an app runs, and says what is wrong and how to mend it.

finding      what a look finds
installed    the SDK, and instrumentations that would see every call a second time
environment  variables that contradict each other, or that nobody reads
privacy      what would leave: content, baggage
exporters    where telemetry goes, and whether somebody answers there
running      what is switched on in this process, once the app has been imported
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
    """Look at this process: what is installed, its environment, its exporters and what is switched on.

    Args:
        connect: Send an empty request to each OTLP endpoint, and look whether the port for Prometheus is free.

    Returns:
        What was found, in the order of the looks. Nothing is wrong where no finding's level is `wrong`.
    """
    return [
        *check_installed(),
        *check_environment(),
        *check_exporters(connect=connect),
        *check_privacy(),
        *check_running(),
    ]
