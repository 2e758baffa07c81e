"""The options of Sentry support."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from claudescope._internal.exceptions import BadInputError

__all__ = ["Capture", "GroupBy", "Options"]

Capture = Literal["reported", "failures", "attempts"]
"""Which failures become events.

- `reported`: those that the app or a framework reports, and unhandled crashes. Handled errors create no event.
- `failures`: also each failed call, at the moment it fails, marked as handled.
- `attempts`: also each failed attempt that the SDK retries.
"""

GroupBy = Literal["model", "workflow", "target"]
"""What may split the issue of an error type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of `ClaudeErrorsIntegration` and `install`.

    Attributes:
        capture: Which failures become events; `reported` by default.
        group_by: What splits the issue of an error type: any of `model`, `workflow` and `target`, which is the
            target of a policy; nothing by default.
        include_messages: Whether the API's error messages are sent. By default status and error type replace them, as
            a message may quote the request or, for a response that does not match its schema, the completion.
        include_local_variables: Whether local variables of the app's frames are sent with a failed call. False by
            default, as they may contain prompts. Those of the SDK's frames are never sent.
        include_request: Whether the request that the app itself got is sent with a failed call: body, query string and
            cookies of a web request, the command line, and a job's arguments. False by default, as a prompt most often
            comes from there.
        include_prompts: Whether streamed spans of Sentry's own Anthropic integration keep prompts and completions.
            False by default, as sentry-sdk 3 sends them unasked. Without effect on sentry-sdk 2 unless its spans are
            streamed: there `send_default_pii` decides.
        link_trace: Whether an event gets the trace of the call's span, so that the issue links to it. By default it
            does, unless Sentry's own tracing is on and the call's span goes elsewhere: the event then keeps Sentry's
            trace, and the call's trace is in the context. True always links, False never.
        burst: Most events of one error type that are sent at once; None for no limit. The limit for all error types
            together is five times as high, which by default is half of the queue of Sentry's transport.
        per_minute: Events of one error type that are sent per minute after the burst.

    Raises:
        BadInputError: An option has a value it can't have.
    """

    capture: Capture = "reported"
    group_by: Sequence[GroupBy] = ()
    include_messages: bool = False
    include_local_variables: bool = False
    include_request: bool = False
    include_prompts: bool = False
    link_trace: bool | None = None
    burst: int | None = 10
    per_minute: float = 6.0

    def __post_init__(self) -> None:
        if self.capture not in get_args(Capture):
            raise BadInputError(f"capture={self.capture!r}: expected one of {', '.join(map(repr, get_args(Capture)))}")
        unknown = [self.group_by] if isinstance(self.group_by, str) else set(self.group_by) - set(get_args(GroupBy))
        if unknown:
            raise BadInputError(f"group_by={self.group_by!r}: expected a list of 'model', 'workflow' and 'target'")
        if self.burst is not None and (not isinstance(self.burst, int) or self.burst < 1):
            raise BadInputError(f"burst={self.burst!r}: expected a whole number of at least 1, or None for no limit")
        if not isinstance(self.per_minute, (int, float)) or not self.per_minute > 0:
            raise BadInputError(f"per_minute={self.per_minute!r}: expected a number above 0, such as 6")
