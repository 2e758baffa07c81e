"""Enables Sentry support: as an integration for `sentry_sdk.init`, or with `install`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import sentry_sdk
import sentry_sdk.scope
from sentry_sdk.integrations import Integration

from claudescope._internal import internal_errors
from claudescope.lifecycle import attach, detach
from claudescope.sentry import telemetry
from claudescope.sentry.options import Options
from claudescope.sentry.processor import COMPONENT, Event, Processor
from claudescope.sentry.scrubbing import QUOTES
from claudescope.sentry.sink import SentrySink

__all__ = ["ClaudeErrorsIntegration", "install", "is_active", "uninstall"]


class ClaudeErrorsIntegration(Integration):
    """Groups failed calls to the Claude API in Sentry: one issue per error type.

        sentry_sdk.init(dsn=…, integrations=[ClaudeErrorsIntegration()])

    It adds a global event processor, so the app's own `before_send`, fingerprints, tags and scopes keep working. With
    `claudescope.instrument()`, events also have the attempts, duration, tokens and trace of the call.

    Args:
        options: The options; the defaults where None.
    """

    identifier = "claude_errors"

    def __init__(self, options: Options | None = None) -> None:
        self.processor = Processor(options or Options())

    @staticmethod
    def setup_once() -> None:
        """Register the event processor. Sentry calls this once per process."""
        _register()


class _Installed:
    processor: Processor | None = None


def install(options: Options | None = None) -> None:
    """Do what `ClaudeErrorsIntegration` does, for apps that don't call `sentry_sdk.init` themselves.

    Works before and after `init`. A second call replaces the options. For a client that has the integration, the
    integration's options apply.

    Args:
        options: The options; the defaults where None.
    """
    _Installed.processor = Processor(options or Options())
    _register()


def is_active() -> bool:
    """Whether claudescope processes the events of the current client."""
    return _processor() is not None


def uninstall() -> None:
    """Undo `install` and the integration, and forget the texts of failures."""
    QUOTES.clear()
    telemetry.unwatch()
    _Installed.processor = None
    detach(_SINK)
    processors = cast("list[Any]", sentry_sdk.scope.global_event_processors)
    if _process in processors:
        processors.remove(_process)


def _register() -> None:
    processors = cast("list[Any]", sentry_sdk.scope.global_event_processors)
    if _process not in processors:
        # Before Sentry's DedupeIntegration. Otherwise it remembers an event that is dropped here, and then drops
        # the app's own report of the same exception as a duplicate.
        processors.insert(0, _process)
    telemetry.watch(_clean_log, _clean_span)
    attach(_SINK)


def _processor() -> Processor | None:
    """The processor of the current client; None where Sentry support is off."""
    integration = sentry_sdk.get_client().get_integration(ClaudeErrorsIntegration)
    return integration.processor if isinstance(integration, ClaudeErrorsIntegration) else _Installed.processor


def _process(event: Event, hint: Mapping[str, Any] | None) -> Event | None:
    try:
        processor = _processor()
    except Exception:  # noqa: BLE001 - the app's event is sent, whatever a future Sentry SDK changes
        internal_errors.record(COMPONENT)
        return event
    return event if processor is None else processor(event, hint)


def _clean_log(log: Event) -> Event | None:
    processor = _processor()
    return log if processor is None else processor.clean_log(log)


def _clean_span(span: Any) -> None:
    processor = _processor()
    if processor is not None and not processor.options.include_prompts:
        telemetry.strip_content(span)


_SINK: Final = SentrySink(_processor)
