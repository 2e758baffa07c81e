"""Alerts on errors: by error type, by owner, and those that a person must act on at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from claudescope.schema.catalogue import CALLS, ERROR_TYPE, OPERATION, OUTCOME, OWNER, RETRIES
from claudescope.schema.error_types import ERROR_TYPES, ErrorType, Owner
from claudescope_alerts.promql.selectors import Match, SelectorBuilder
from claudescope_alerts.rule_tests.series import Simulate, two_counters
from claudescope_alerts.rules.model import Alert, Group
from claudescope_alerts.rules.sli import ENDED, FAILED
from claudescope_alerts.rules.symptoms.ratio import Count, Ratio, count_alert, ratio_alert
from claudescope_alerts.spec.burn_rate_tiers import Severity
from claudescope_alerts.spec.model import Spec

__all__ = ["groups"]


@dataclass(frozen=True, slots=True)
class _CountRow:
    """An alert on a number of errors of one type.

    Attributes:
        alert: Name of the alert.
        severity: `page` or `ticket`.
        subject: What the number is of; empty for "calls ended in" and the error type.
        window: Minutes that it looks back over.
        labelled: Whether it has the label `error_type`.
    """

    alert: str
    severity: Severity
    subject: str = ""
    window: int = 10
    labelled: bool = True


_COUNTS: Final[Mapping[str, _CountRow]] = {
    "spend_limit_error": _CountRow("ClaudeSpendLimitReached", "page"),
    "authentication_error": _CountRow("ClaudeAuthenticationFailing", "page"),
    "billing_error": _CountRow("ClaudeBillingFailing", "page"),
    "pool_timeout_error": _CountRow(
        "ClaudePoolExhausted",
        "page",
        subject="calls found no free connection",
        window=5,
        labelled=False,
    ),
    "circuit_open_error": _CountRow(
        "ClaudeCircuitOpen",
        "ticket",
        subject="calls were rejected by the circuit breaker",
        window=5,
        labelled=False,
    ),
}
"""Error types with an alert on their number, in the order of their alerts."""

_STREAM_CUT: Final = ERROR_TYPES["stream_interrupted_error"]

_CAUSES: Final[Mapping[Owner, str]] = {
    "quota": "These calls failed: they exceed a quota of your organization.",
    "provider": "These calls failed: the cause is at the provider.",
    "network": "These calls failed: the cause is on the network between the app and the API.",
    "account": "These calls failed: the cause is the account or its API key.",
    "local": "These calls failed: the cause is in the app's own process.",
    "caller": "These calls failed: the cause is in the requests that the app sends.",
    "either": "These calls failed: the cause is at the client or at the provider.",
    "unknown": "These calls failed: the cause is unknown.",
}

_UNAVAILABLE: Final[Mapping[Owner, str]] = {
    "provider": "calls fail because of the provider",
    "network": "calls fail because of the network",
}
"""Owners whose errors together mean that the API is unavailable, with the subject of the summary."""


def groups(spec: Spec, selectors: SelectorBuilder) -> list[Group]:
    """Alerts on errors."""
    rules = _ErrorRules(spec, selectors)
    by_error_type = [rules.error_type_high(error_type) for error_type in ERROR_TYPES.values()
                     if error_type.name not in _COUNTS and error_type != _STREAM_CUT]  # fmt: skip
    return [
        # One group for each owner, as promtool evaluates all rules of a file in each of its tests.
        *(
            Group(f"error-types-{owner}", tuple(alert for alert in by_error_type if alert.owner == owner))
            for owner in dict.fromkeys(alert.owner for alert in by_error_type)
        ),
        Group(
            "error-ratios",
            (*(rules.unavailable(owner) for owner in _UNAVAILABLE), rules.streams_cut(), rules.retries_high()),
        ),
        Group("error-counts", tuple(rules.count(ERROR_TYPES[name], row) for name, row in _COUNTS.items())),
    ]


class _ErrorRules:
    """Makes the alerts on errors of one spec."""

    def __init__(self, spec: Spec, selectors: SelectorBuilder) -> None:
        self._thresholds = spec.thresholds
        self._service = spec.service.name
        self._own = spec.service.own_labels
        self._selectors = selectors
        self._calls = selectors.select(CALLS, ENDED)

    def error_type_high(self, error_type: ErrorType) -> Alert:
        """The alert on the ratio of calls that end in one error type."""
        return self._ratio(
            "ClaudeErrorTypeHigh",
            [error_type],
            self._thresholds.error_type_ratio,
            subject=f"calls end in {error_type.name}",
            meaning=_CAUSES[error_type.owner],
            advice=error_type.advice,
            for_=2,
            labels={"error_type": error_type.name},
        )

    def unavailable(self, owner: Owner) -> Alert:
        """The alert on the ratio of calls that fail because of one owner."""
        return self._ratio(
            "ClaudeApiUnavailable",
            [error_type for error_type in ERROR_TYPES.values() if error_type.owner == owner],
            self._thresholds.unavailable_ratio,
            severity="page",
            subject=_UNAVAILABLE[owner],
            meaning="Most users get an error instead of an answer.",
            advice="What to do first: check status.claude.com, then DNS, egress and proxy; fall back to another model "
            "or region.",
            for_=2,
        )

    def streams_cut(self) -> Alert:
        """The alert on the ratio of calls whose stream was interrupted."""
        return self._ratio(
            "ClaudeStreamsCut",
            [_STREAM_CUT],
            self._thresholds.stream_cut_ratio,
            subject="calls had their stream interrupted",
            meaning="Users see answers that stop in the middle.",
            advice=_STREAM_CUT.advice,
        )

    def retries_high(self) -> Alert:
        """The alert on the ratio of attempts that are repeated."""
        retries, overloaded = self._selectors.select(RETRIES), ERROR_TYPES["overloaded_error"].name
        return ratio_alert(
            Ratio(
                "ClaudeRetryShareHigh",
                retries,
                (self._calls, retries),
                self._simulate(self._selectors.series(RETRIES, {OPERATION: "chat", ERROR_TYPE: overloaded})),
                limit=self._thresholds.retry_ratio,
                min_failures=self._thresholds.min_failures,
                severity="ticket",
                owner="either",
                subject="attempts are repeated",
                meaning="Users wait longer for their answers.",
                advice="What to do first: find out on the dashboard why attempts fail.",
                window=10,
            ),
            self._service,
        )

    def count(self, error_type: ErrorType, row: _CountRow) -> Alert:
        """The alert on the number of errors of one type."""
        return count_alert(
            Count(
                row.alert,
                self._failed([error_type]),
                self._series(error_type),
                limit=self._thresholds.pool_timeouts if error_type.name == "pool_timeout_error" else 2,
                severity=row.severity,
                owner=error_type.owner,
                subject=row.subject or f"calls ended in {error_type.name}",
                meaning=_CAUSES[error_type.owner],
                advice=error_type.advice,
                window=row.window,
                labels={"error_type": error_type.name} if row.labelled else {},
            ),
            self._own,
        )

    def _ratio(
        self,
        name: str,
        error_types: list[ErrorType],
        limit: Decimal,
        *,
        subject: str,
        meaning: str,
        advice: str,
        severity: Severity = "ticket",
        for_: int = 5,
        labels: Mapping[str, str] | None = None,
    ) -> Alert:
        """An alert on the ratio of ended calls that end in some error types, all of one owner."""
        return ratio_alert(
            Ratio(
                name,
                self._failed(error_types),
                (self._calls,),
                self._simulate(self._series(error_types[-1])),
                limit=limit,
                min_failures=self._thresholds.min_failures,
                severity=severity,
                owner=error_types[0].owner,
                subject=subject,
                meaning=meaning,
                advice=advice,
                for_=for_,
                labels=labels or {},
            ),
            self._service,
        )

    def _failed(self, error_types: Iterable[ErrorType]) -> str:
        names = tuple(error_type.name for error_type in error_types)
        return self._selectors.select(CALLS, FAILED, Match(ERROR_TYPE, names))

    def _series(self, error_type: ErrorType) -> str:
        labels = {OPERATION: "chat", OUTCOME: "error", OWNER: error_type.owner, ERROR_TYPE: error_type.name}
        return self._selectors.series(CALLS, labels)

    def _simulate(self, bad: str) -> Simulate:
        """Bad events beside calls that succeed, and beside cancelled calls, which must not count."""
        good, cancelled = (
            self._selectors.series(CALLS, {OPERATION: "chat", OUTCOME: outcome}) for outcome in ("ok", "cancelled")
        )
        return two_counters(bad, good, cancelled)
