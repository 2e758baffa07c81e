"""What becomes of a finished call: one small file per consumer, each with one job.

`Sink` is all that the probe knows of them, so adding one touches no other.
"""

from __future__ import annotations

from claudescope.sinks.sink import Sink

__all__ = ["Sink"]
