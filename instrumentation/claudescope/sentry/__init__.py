"""Groups failed calls in Sentry: one issue per error type. Handled errors create no issue.

    sentry_sdk.init(dsn=…, integrations=[ClaudeErrorsIntegration()])
    claudescope.sentry.install()     # instead, where other code calls `init`

integration          the integration, and `install`
options              the options of both
processor            processes an event, step by step
exception_search     finds the failed call in an event: bare, wrapped, in a group, in a log record
wrapping             decides whether an exception stands for the failed call that was handled
exception_registry   remembers which exception ended which call, and which exceptions were reported
enrich               sets fingerprint, level, tags, context and trace
payload              reads events
delivery             learns which events were sent
scrubbing            removes what may contain a prompt, a completion, a key or a header
error_texts          the texts of an exception
quotes               remembers private texts, and finds them where they are quoted in any form
cleaner              replaces texts in nested values
urls                 removes queries of API URLs
rate_limiter         limits the number of events per error type
capture              makes an event from an exception
sink                 gets calls from the probe: adds breadcrumbs, and reports failures where `capture` asks for it
background           `task`, for background work
tags                 the names of tags and fingerprints
as_code              fingerprint rules and alerts for Sentry's server

Only this package imports `sentry_sdk`, and only when one of its names is used.
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
