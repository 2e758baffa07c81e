"""Looks at where an app runs, and says what is wrong and how to mend it.

finding      what a look finds
installed    the SDK, and instrumentations that would see every call a second time
environment  variables that contradict each other, or that nobody reads
privacy      what would leave: content, baggage
exporters    where telemetry goes, and whether somebody answers there
running      what is switched on in this process, once the app has been imported
"""

from __future__ import annotations

from claudescope.doctor.environment import look_at_environment
from claudescope.doctor.exporters import look_at_exporters
from claudescope.doctor.finding import Finding, Level
from claudescope.doctor.installed import look_at_installed
from claudescope.doctor.privacy import look_at_privacy
from claudescope.doctor.running import look_at_running

__all__ = ["Finding", "Level", "examine"]


def examine(*, connect: bool = True) -> list[Finding]:
    """Look at this process: what is installed, its environment, its exporters and what is switched on.

    Args:
        connect: Send an empty request to each OTLP endpoint, and look whether the port for Prometheus is free.

    Returns:
        What was found, in the order of the looks. Nothing is wrong where no finding's level is `wrong`.
    """
    return [
        *look_at_installed(),
        *look_at_environment(),
        *look_at_exporters(connect=connect),
        *look_at_privacy(),
        *look_at_running(),
    ]
