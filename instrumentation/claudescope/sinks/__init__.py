"""The consumers of finished calls: one small module per sink, each with one job.

The probe knows them only as `Sink`, so a new sink changes no other module.
"""

from __future__ import annotations

from claudescope.sinks.sink import Sink

__all__ = ["Sink"]
