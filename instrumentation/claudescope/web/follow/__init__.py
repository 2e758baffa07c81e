"""Follow a call while it runs: what a person who waits for it may be told.

`state` has the states, `words` their texts, `tracker` makes states of what the probe and the policy tell, `runners` run
the call in a task or a thread, and `progress` is what an app holds. `sse` and `terminal` show it.
"""

from __future__ import annotations

from claudescope.web.follow.progress import Progress, progress
from claudescope.web.follow.sse import progress_events, progress_events_sync
from claudescope.web.follow.state import State, StateName

__all__ = ["Progress", "State", "StateName", "progress", "progress_events", "progress_events_sync"]
