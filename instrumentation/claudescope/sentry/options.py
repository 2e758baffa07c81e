"""What can be chosen of how failed calls show in Sentry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from claudescope._internal.exceptions import BadInputError

__all__ = ["Capture", "GroupBy", "Options"]

Capture = Literal["reported", "failures", "attempts"]
"""Which failures become events.

- `reported`: those that the app, a framework or an unhandled crash reports. One that the app handled is none.
- `failures`: also each call that failed for good, as it fails, marked as handled.
- `attempts`: also each attempt that the SDK then repeated.
"""

GroupBy = Literal["model", "workflow"]
"""What may set issues of one kind apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of `ClaudeErrorsIntegration` and `install`.

    Attributes:
        capture: Which failures become events; those that somebody reports by default.
        group_by: What splits the one issue of a kind: the model, the workflow or both; nothing by default.
        include_messages: Whether the API's own error messages are sent. By default they are replaced by status and
            kind, as a message may quote the request or, where an answer did not fit its schema, the completion.
        include_local_variables: Whether local variables of the app's own frames are sent with a failed call. By
            default none are, as they hold prompts. Those of the SDK's frames never are.
        link_trace: Whether an event's trace is that of the call's span, so that the issue opens it. Without, it
            stays Sentry's own.
        burst: How many events of one kind are sent at once, at most; None sends all. All kinds together send five
            times as many, which by default is half of the queue of Sentry's transport.
        per_minute: How many events of one kind are sent per minute after that.

    Raises:
        BadInputError: An option has a value it can't have.
    """

    capture: Capture = "reported"
    group_by: Sequence[GroupBy] = ()
    include_messages: bool = False
    include_local_variables: bool = False
    link_trace: bool = True
    burst: int | None = 10
    per_minute: float = 6.0

    def __post_init__(self) -> None:
        if self.capture not in get_args(Capture):
            raise BadInputError(f"capture={self.capture!r}: expected one of {', '.join(map(repr, get_args(Capture)))}")
        unknown = [self.group_by] if isinstance(self.group_by, str) else set(self.group_by) - set(get_args(GroupBy))
        if unknown:
            raise BadInputError(f"group_by={self.group_by!r}: expected a list of 'model', 'workflow' or both")
        if self.burst is not None and (not isinstance(self.burst, int) or self.burst < 1):
            raise BadInputError(f"burst={self.burst!r}: expected a whole number of at least 1, or None for no limit")
        if not isinstance(self.per_minute, (int, float)) or not self.per_minute > 0:
            raise BadInputError(f"per_minute={self.per_minute!r}: expected a number above 0, such as 6")
