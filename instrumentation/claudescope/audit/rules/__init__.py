"""The rules that findings come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from claudescope.audit.case import Case
from claudescope.audit.rules import answers, concurrency, handling, models, repeating, showing, streams
from claudescope.audit.rules.catalogue import RULES
from claudescope.audit.rules.rule import Hit, Rule

__all__ = ["CHECKS", "RULES", "Rule"]

CHECKS: Final[tuple[Callable[[Case], Iterator[Hit]], ...]] = (
    handling.unhandled_call,
    handling.broad_except,
    handling.swallowed_error,
    handling.fallback_hides_error,
    repeating.retry_non_retryable,
    repeating.nested_retries,
    repeating.no_backoff,
    repeating.ignores_retry_after,
    streams.stream_not_closed,
    streams.stream_error_unhandled,
    answers.stop_reason_ignored,
    concurrency.fire_and_forget,
    concurrency.no_timeout,
    concurrency.unbounded_concurrency,
    concurrency.blocking_call_in_async,
    showing.error_shown_to_user,
    showing.missing_request_id_in_log,
    models.retired_model,
)
"""Every rule about a call. The rule about keys is about files."""
