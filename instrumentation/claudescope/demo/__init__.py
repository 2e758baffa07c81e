"""Makes real SDK calls for `claudescope demo`, and reports what claudescope recorded.

workflows   typical uses of Claude: sync, async, streams, tools, a cached prompt, a batch
run         runs them for some time against the simulator or the real API, and compares the counts
"""

from __future__ import annotations

from claudescope.demo.run import DemoResult, run_demo, run_live

__all__ = ["DemoResult", "run_demo", "run_live"]
