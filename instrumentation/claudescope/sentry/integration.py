"""Switches Sentry support on: with `sentry_sdk.init`, or where somebody else calls that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import sentry_sdk
import sentry_sdk.scope
from sentry_sdk.integrations import Integration

from claudescope._internal import internal_errors
from claudescope.lifecycle import attach, detach
from claudescope.sentry.options import Options
from claudescope.sentry.processor import COMPONENT, Event, Processor
from claudescope.sentry.sink import SentrySink

__all__ = ["ClaudeErrorsIntegration", "install", "is_active", "uninstall"]


class ClaudeErrorsIntegration(Integration):
    """Has failed calls to the Claude API show in Sentry as one issue per kind of error.

        sentry_sdk.init(dsn=…, integrations=[ClaudeErrorsIntegration()])

    It adds a global event processor, so that the app's own `before_send`, fingerprints, tags and scopes keep working.
    With `claudescope.instrument()` on, events also tell attempts, duration, tokens and trace of the call.

    Args:
        options: What can be chosen.
    """

    identifier = "claude_errors"

    def __init__(self, options: Options | None = None) -> None:
        self.processor = Processor(options or Options())

    @staticmethod
    def setup_once() -> None:
        """Sentry calls this once per process, at the first `init` with this integration."""
        _register()


class _Installed:
    processor: Processor | None = None


def install(options: Options | None = None) -> None:
    """Do what `ClaudeErrorsIntegration` does, for apps that don't call `sentry_sdk.init` themselves.

    Works before and after `init`. Called again, it replaces the options. Where a client has the integration too, that
    one's options count for it.

    Args:
        options: What can be chosen.
    """
    _Installed.processor = Processor(options or Options())
    _register()


def is_active() -> bool:
    """Whether events of the current client pass through claudescope."""
    return _processor() is not None


def uninstall() -> None:
    """Take back what `install` and the integration did to the process."""
    _Installed.processor = None
    detach(_SINK)
    processors = cast("list[Any]", sentry_sdk.scope.global_event_processors)
    if _process in processors:
        processors.remove(_process)


def _register() -> None:
    processors = cast("list[Any]", sentry_sdk.scope.global_event_processors)
    if _process not in processors:
        # Before Sentry's own DedupeIntegration, which would else remember an event that is then dropped here, and
        # take the one that the app sends next for its repetition.
        processors.insert(0, _process)
    attach(_SINK)


def _processor() -> Processor | None:
    """The processor of the current client; None where Sentry support is off."""
    integration = sentry_sdk.get_client().get_integration(ClaudeErrorsIntegration)
    return integration.processor if isinstance(integration, ClaudeErrorsIntegration) else _Installed.processor


def _process(event: Event, hint: Mapping[str, Any] | None) -> Event | None:
    try:
        processor = _processor()
    except Exception:  # noqa: BLE001 - whatever a future Sentry SDK does, the app's event goes out
        internal_errors.record(COMPONENT)
        return event
    return event if processor is None else processor(event, hint)


_SINK: Final = SentrySink(_processor)
