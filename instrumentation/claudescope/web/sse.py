"""The last event of a stream of server-sent events whose headers had left when the call failed."""

from __future__ import annotations

import json
from typing import Final

from claudescope.web.problem import Problem

__all__ = ["MEDIA_TYPE", "sse_error"]

MEDIA_TYPE: Final = "text/event-stream"


def sse_error(problem: Problem) -> str:
    """The event `error` whose data is the problem document, as text of a `text/event-stream`.

    It begins with an empty line, which ends an event that was cut off.
    """
    return f"\n\nevent: error\ndata: {json.dumps(problem.body())}\n\n"
