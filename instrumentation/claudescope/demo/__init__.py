"""Drives real SDK calls, instrumented, and shows what claudescope makes of them.

workflows   what a small app does with Claude: sync, async, streams, tools, a cached prompt, a batch
run         runs them for a while, against the simulator or the real API, and checks the counts
"""

from __future__ import annotations

from claudescope.demo.run import DemoResult, run_demo, run_live

__all__ = ["DemoResult", "run_demo", "run_live"]
