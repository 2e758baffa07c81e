"""Makes Sentry show failed calls as they are: one issue per kind of error, and nothing that the app had handled.

    sentry_sdk.init(dsn=…, integrations=[ClaudeErrorsIntegration()])     or, where somebody else calls `init`:
    claudescope.sentry.install()

integration   switches it on
options       what can be chosen
processor     what happens to an event, step by step
finding       the failed call in an event: bare, wrapped, in a group, in a log record
failures      remembers which exception ended which call, and which one Sentry has had
enrich        fingerprint, level, tags, context and trace
payload       reads events
privacy       takes out what may hold a prompt, a completion, a key or a header
flood         at most so many events of a kind in a while
capture       makes an event of an exception
sink          hears of calls from the probe: breadcrumbs, and events that nobody else reports
background    `task`, for work that nobody waits for
tags          what the events are found by
as_code       fingerprint rules and alerts for Sentry's side

`sentry_sdk` is imported only in this package, and only when one of its names is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

from claudescope._internal.exceptions import require

if TYPE_CHECKING:
    from claudescope.sentry.background import task
    from claudescope.sentry.integration import ClaudeErrorsIntegration, install
    from claudescope.sentry.options import Options

__all__ = ["ClaudeErrorsIntegration", "Options", "install", "task"]

_HOMES: Final = {
    "ClaudeErrorsIntegration": "integration",
    "Options": "options",
    "install": "integration",
    "task": "background",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("sentry_sdk", extra="sentry", feature=f"claudescope.sentry.{name}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
